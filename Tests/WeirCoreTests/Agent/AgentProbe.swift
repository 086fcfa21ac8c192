import Testing
import WeirCore

/// One agent whose every output is kept and whose every input the test makes: for what depends on single exchanges.
final class AgentProbe {
    var agent: Agent
    let signer: TestSigner
    private(set) var now = Instant.start
    private(set) var outputs: [Output] = []
    private(set) var timersFed = 0
    private var asked: [Asked] = []
    private var cancelled: Set<FetchID> = []
    private var nextNumber: UInt64 = 1

    init(_ settings: AgentSettings = AgentSettings(), limits: Limits = Limits(), seed: UInt64 = 1, index: UInt8 = 1) {
        signer = TestSigner(index)
        agent = Agent(settings: settings, limits: limits, signer: signer, seed: seed)
    }

    func feed(_ input: Input) {
        agent.handle(input, at: now)
        while let output = agent.nextOutput() {
            outputs.append(output)
            switch output {
            case .fetch(let id, let request): asked.append(Asked(id: id, request: request))
            case .cancelFetch(let id): cancelled.insert(id)
            default: break
            }
        }
    }

    /// Lets time pass, with every timer that comes due in it.
    func wait(_ span: Duration) {
        let end = now + span
        while let due = agent.nextDeadline, due <= end {
            now = max(now, due)
            timersFed += 1
            feed(.timer)
        }
        now = end
    }

    // MARK: Streams and players

    /// Opens a stream whose manifest is this text.
    @discardableResult
    func open(_ url: String, _ playlist: String, answeredBy: String? = nil) -> String {
        let id = OpenID(number())
        feed(.open(id, StreamRequest(url: url)))
        guard let fetch = fetches(url).last else { return "" }
        answer(fetch.id, body: Array(playlist.utf8), url: answeredBy ?? url)
        for case .opened(id, .ready(_, let path)) in outputs { return path }
        return ""
    }

    @discardableResult
    func ask(
        _ target: String,
        range: String? = nil,
        userAgent: String = "test",
        method: PlayerRequest.Method = .get,
        connection: UInt64? = nil
    ) -> RequestID {
        let id = RequestID(number())
        let request = PlayerRequest(
            id: id,
            method: method,
            target: target,
            range: range,
            userAgent: userAgent,
            connection: connection.map { ConnectionID($0) },
            authority: "127.0.0.1:8090"
        )
        feed(.request(request))
        return id
    }

    private func number() -> UInt64 {
        nextNumber += 1
        return nextNumber
    }

    // MARK: Origins

    struct Asked {
        var id: FetchID
        var request: FetchRequest
        var range: String? { request.fields.first { $0.name == "range" }?.value }
    }

    /// All exchanges begun for URLs that end like this.
    func fetches(_ suffix: String = "") -> [Asked] {
        asked.filter { $0.request.url.hasSuffix(suffix) }
    }

    func isCancelled(_ id: FetchID) -> Bool { cancelled.contains(id) }

    func head(_ id: FetchID, _ status: Int = 200, _ fields: [(String, String)] = [], url: String = "http://o.example/")
    {
        feed(.fetchHead(id, FetchHead(status: status, fields: fields.map { HeaderField($0.0, $0.1) }, url: url)))
    }

    func body(_ id: FetchID, _ bytes: [UInt8]) { feed(.fetchBody(id, ByteArrayPayload(bytes))) }
    func end(_ id: FetchID, _ end: FetchEnd = .complete) { feed(.fetchEnded(id, end)) }

    /// A whole answer.
    func answer(_ id: FetchID, _ status: Int = 200, body bytes: [UInt8], url: String = "http://o.example/") {
        head(id, status, [("content-length", String(bytes.count))], url: url)
        if !bytes.isEmpty, !isCancelled(id) { body(id, bytes) }
        if !isCancelled(id) { end(id) }
    }

    // MARK: What players got

    func status(_ id: RequestID) -> Int? {
        for case .answerHead(id, let head) in outputs { return head.status }
        return nil
    }

    func fields(_ id: RequestID) -> [HeaderField] {
        for case .answerHead(id, let head) in outputs { return head.fields }
        return []
    }

    func received(_ id: RequestID) -> [UInt8] {
        outputs.flatMap { output -> [UInt8] in
            switch output {
            case .answerBytes(id, let bytes): bytes
            case .answerBody(id, let payload): payload.bytes()
            default: []
            }
        }
    }

    func text(_ id: RequestID) -> String { String(decoding: received(id), as: UTF8.self) }

    func isEnded(_ id: RequestID) -> Bool {
        outputs.contains { if case .answerEnd(id) = $0 { true } else { false } }
    }

    func isAborted(_ id: RequestID) -> Bool {
        outputs.contains { if case .answerAbort(id) = $0 { true } else { false } }
    }

    /// The player's socket takes all that it was given so far of this answer.
    func drain(_ id: RequestID) {
        var taken = drained[id] ?? 0
        while received(id).count > taken {
            let more = received(id).count - taken
            taken += more
            drained[id] = taken
            feed(.delivered(id, bytes: more))
        }
    }
    private var drained: [RequestID: Int] = [:]

    // MARK: Peers

    /// A link whose other end the test plays; it has joined every swarm the agent named.
    func linkPeer(_ index: UInt8, host: String = "10.9.0.1", swarms: [SwarmID]? = nil, uploads: Bool = true) -> LinkID {
        let id = LinkID(UInt64(index) + 100)
        let other = TestSigner(index)
        let peer = LinkPeer(id: other.id, publicKey: other.publicKey, address: PeerAddress(host: host, port: 5000))
        feed(.linkUp(id, peer, dial: nil))
        var offered: [SwarmID] = []
        for case .send(id, .hello(let hello), _) in outputs { offered = hello.swarms }
        say(id, .hello(Hello(listenPort: 4000, uploads: uploads, swarms: swarms ?? offered)))
        return id
    }

    func say(_ link: LinkID, _ message: Message) { feed(.linkMessage(link, message, payload: nil)) }

    func told(_ link: LinkID) -> [Message] {
        outputs.compactMap { if case .send(link, let message, _) = $0 { message } else { nil } }
    }

    func messages(_ suffix: String) -> [LogEvent] {
        outputs.compactMap { if case .log(let event) = $0, event.message.hasSuffix(suffix) { event } else { nil } }
    }

    /// The steering server answers what it was asked last; nil: with what is no steering manifest.
    func steer(_ manifest: SteeringManifest?) {
        guard let fetch = fetches().last(where: { $0.request.url.contains("/steer") }) else {
            Issue.record("no steering server was asked")
            return
        }
        answer(fetch.id, body: Array("{}".utf8), url: fetch.request.url)
        for case .readSteering(let id, _) in outputs.suffix(3) { feed(.steering(id, manifest)) }
    }

    var statistics: AgentStatistics { agent.statistics(at: now) }
}

/// Playlists in a line.
enum Playlists {
    static func live(
        _ numbers: ClosedRange<Int>,
        target: Int = 2,
        end: Bool = false,
        type: String? = nil,
        name: (Int) -> String = { "\($0).ts" }
    ) -> String {
        "#EXTM3U\n#EXT-X-TARGETDURATION:\(target)\n#EXT-X-MEDIA-SEQUENCE:\(numbers.lowerBound)\n"
            + (type.map { "#EXT-X-PLAYLIST-TYPE:\($0)\n" } ?? "")
            + numbers.map { "#EXTINF:\(target).0,\n\(name($0))\n" }.joined() + (end ? "#EXT-X-ENDLIST\n" : "")
    }
}
