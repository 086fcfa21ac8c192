import Logging
import NIOCore
import Synchronization
import WeirCore
import WeirLab
import WeirNet

/// How a hostile peer lies about the chunks of segments from `HostilePeer.honestSegments` on.
enum Lie: Sendable {
    /// Its lists are true, its bytes are not.
    case contradictsItsList
    /// It signs false lists, and its bytes match them.
    case signsFalseLists
}

/// What a hostile peer did, for a test that must know that the attack took place.
final class Misdeeds: Sendable {
    private let counts = Mutex((true: 0, false: 0))
    var trueChunks: Int { counts.withLock { $0.true } }
    var falseChunks: Int { counts.withLock { $0.false } }

    func count(isFalse: Bool) {
        counts.withLock { counts in
            if isFalse { counts.false += 1 } else { counts.true += 1 }
        }
    }
}

/// A whole agent, with the real core, codec and TLS, whose links falsify what it says.
struct HostilePeer: Sendable {
    /// Segments with smaller numbers are served truly: it really contributes first.
    static let honestSegments: UInt64 = 3

    let host: AgentHost
    let playbackURL: String
    let port: Int
    let misdeeds: Misdeeds

    var peer: String { "127.0.0.1:\(port)" }

    /// Flips a bit in every chunk.
    static func falsified(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for start in stride(from: 0, to: bytes.count, by: Chunk.byteCount) { bytes[start] ^= 1 }
        return bytes
    }

    static func start(_ stage: Stage, _ url: String, _ lie: Lie) async throws -> HostilePeer {
        let identity = Identity()
        let misdeeds = Misdeeds()
        let truth = try Media.segments()
        let port = try await freePort()
        var logger = Logger(label: "hostile")
        logger.logLevel = .error
        var configuration = HostConfiguration(endpoint: EndpointSettings(token: "hostile"), logger: logger)
        configuration.links = { loop, deliver in
            try await HostileLinks.start(loop, identity, lie, truth, misdeeds, port: port, deliver: deliver)
        }
        let host = try await AgentHost.start(configuration, signer: identity)
        stage.atEnd { await host.stop() }
        guard case .ready(_, let path) = await host.open(url: url) else { throw LabError("it cannot play \(url)") }
        return HostilePeer(
            host: host,
            playbackURL: "http://127.0.0.1:\(host.port)\(path)",
            port: port,
            misdeeds: misdeeds
        )
    }
}

/// A hub of links that changes messages on their way out.
private final class HostileLinks: LinkTransport {
    let ownAddresses: [PeerAddress]
    private let loop: any EventLoop
    private let state: NIOLoopBound<State>
    private let identity: Identity
    private let lie: Lie
    private let truth: [[UInt8]]
    private let misdeeds: Misdeeds

    private struct Asked: Hashable {
        var link: LinkID
        var request: UInt32
    }

    private final class State {
        var hub: LinkHub?
        /// What each request of a victim is about.
        var asked: [Asked: SegmentID] = [:]
        /// The swarms of this agent by its own handles.
        var swarms: [UInt32: SwarmID] = [:]
    }

    private init(
        _ loop: any EventLoop,
        _ state: NIOLoopBound<State>,
        _ identity: Identity,
        _ lie: Lie,
        _ truth: [[UInt8]],
        _ misdeeds: Misdeeds,
        _ port: Int
    ) {
        ownAddresses = [PeerAddress(host: "127.0.0.1", port: port)]
        (self.loop, self.state, self.identity) = (loop, state, identity)
        (self.lie, self.truth, self.misdeeds) = (lie, truth, misdeeds)
    }

    static func start(
        _ loop: any EventLoop,
        _ identity: Identity,
        _ lie: Lie,
        _ truth: [[UInt8]],
        _ misdeeds: Misdeeds,
        port: Int,
        deliver: @escaping @Sendable (Input) -> Void
    ) async throws -> HostileLinks {
        let state = try await loop.submit {
            let state = State()
            let bound = NIOLoopBound(state, eventLoop: loop)
            state.hub = try LinkHub(loop: loop, identity: identity) { input in
                if case .linkMessage(let link, .request(let run), _) = input {
                    bound.value.asked[Asked(link: link, request: run.request)] = run.segment
                }
                deliver(input)
            }
            return bound
        }.get()
        _ = try await loop.flatSubmit {
            state.value.hub?.listen(host: "127.0.0.1", port: port) ?? loop.makeSucceededFuture(0)
        }.get()
        return HostileLinks(loop, state, identity, lie, truth, misdeeds, port)
    }

    func dial(_ dial: DialID, _ address: PeerAddress, expecting: PeerID?) {
        state.value.hub?.dial(dial, address, expecting: expecting)
    }

    func send(_ link: LinkID, _ message: Message, payload: (any Payload)?) {
        switch message {
        case .hello(let hello):
            for (handle, swarm) in hello.swarms.enumerated() { state.value.swarms[UInt32(handle)] = swarm }
        case .join(let handle, let swarm): state.value.swarms[handle] = swarm
        case .data(let request, _):
            guard let payload, let segment = state.value.asked[Asked(link: link, request: request)] else { break }
            let isFalse = isLied(about: segment)
            for _ in 0..<Chunk.count(ofBytes: Int64(payload.count)) { misdeeds.count(isFalse: isFalse) }
            guard isFalse else { break }
            let bytes = ByteArrayPayload(HostilePeer.falsified(payload.bytes()))
            state.value.hub?.send(link, message, payload: bytes)
            return
        case .digests(let vouch):
            state.value.hub?.send(link, .digests(restated(vouch)), payload: nil)
            return
        case .root(let root):
            state.value.hub?.send(link, .root(restated(root)), payload: nil)
            return
        default: break
        }
        state.value.hub?.send(link, message, payload: payload)
    }

    func close(_ link: LinkID, reason: String) { state.value.hub?.close(link, reason: reason) }
    func flush() { state.value.hub?.flush() }

    func shutDown() -> EventLoopFuture<Void> {
        state.value.hub?.stop()
        return loop.makeSucceededVoidFuture()
    }

    private func isLied(about segment: SegmentID) -> Bool {
        segment.kind == .media && segment.number >= HostilePeer.honestSegments
    }

    private func falseDigests(_ segment: SegmentID) -> [Digest] {
        let bytes = HostilePeer.falsified(truth[Int(segment.number)])
        return stride(from: 0, to: bytes.count, by: Chunk.byteCount).map { start in
            Digest.sha256(Array(bytes[start..<min(start + Chunk.byteCount, bytes.count)]))
        }
    }

    private func restated(_ vouch: Vouch) -> Vouch {
        guard lie == .signsFalseLists, isLied(about: vouch.segment), let swarm = state.value.swarms[vouch.handle] else {
            return vouch
        }
        var vouch = vouch
        let first = Int(vouch.firstChunk)
        vouch.digests = Array(falseDigests(vouch.segment)[first..<first + vouch.digests.count])
        vouch.voucherKey = identity.publicKey
        vouch.signature = identity.sign(vouch.signedDigest(in: swarm))
        return vouch
    }

    private func restated(_ root: RootVouch) -> RootVouch {
        guard lie == .signsFalseLists, isLied(about: root.segment), let swarm = state.value.swarms[root.handle] else {
            return root
        }
        var root = root
        root.root = .root(of: falseDigests(root.segment), length: root.edition.length ?? 0)
        root.voucherKey = identity.publicKey
        root.signature = identity.sign(root.signedDigest(in: swarm))
        return root
    }
}
