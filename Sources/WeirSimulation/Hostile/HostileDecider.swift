package import WeirCore

/// A core that is used against others: it plays honestly, but what it says and sends is twisted on its way out, so that
/// every attack comes from a member in good standing, with real segments, real links and real timing.
package final class HostileDecider: Decider {
    private let honest: any Decider
    private let role: Scenario.Role
    private let signer: SimulatedSigner
    private let swarm: SwarmID
    private let seed: UInt64
    private var queue = Ring<Output>()
    private var chunksSeen: UInt64 = 0
    private var lastRequest: UInt32 = 1 << 30
    /// How often it did what it is there for.
    package private(set) var acts = 0

    package init(_ honest: any Decider, role: Scenario.Role, signer: SimulatedSigner, swarm: SwarmID, seed: UInt64) {
        self.honest = honest
        self.role = role
        self.signer = signer
        self.swarm = swarm
        self.seed = seed
    }

    package var nextDeadline: Instant? { honest.nextDeadline }
    package func statistics(at now: Instant) -> AgentStatistics { honest.statistics(at: now) }

    package func handle(_ input: Input, at now: Instant) {
        switch (role, input) {
        case (.seldomLiar, .fetchBody(let fetch, let payload)): lie(fetch, payload, at: now, oneIn: 100, tag: seed | 1)
        case (.colluder, .fetchBody(let fetch, let payload)):
            lie(fetch, payload, at: now, oneIn: 1, tag: HostileDecider.sharedTag)
        case (.oldReader, .fetchHead(let fetch, var head)):
            for place in head.fields.indices where head.fields[place].name == "etag" {
                head.fields[place].value = "\"old\(head.fields[place].value.dropFirst())"
            }
            honest.handle(.fetchHead(fetch, head), at: now)
        case (.oldReader, .fetchBody(let fetch, let payload)):
            lie(fetch, payload, at: now, oneIn: 1, tag: HostileDecider.sharedTag)
        default: honest.handle(input, at: now)
        }
    }

    /// What colluders change alike.
    private static let sharedTag: UInt64 = 0x636f_6c6c_7564_65

    /// Reads other bytes from the origin than those that came, so that its own statements about them are false.
    private func lie(_ fetch: FetchID, _ payload: any Payload, at now: Instant, oneIn: UInt64, tag: UInt64) {
        chunksSeen += 1
        guard let media = payload as? SimulatedPayload, mixed(seed, chunksSeen) % oneIn == 0 else {
            return honest.handle(.fetchBody(fetch, payload), at: now)
        }
        acts += 1
        honest.handle(.fetchBody(fetch, media.tampered(tag)), at: now)
    }

    package func nextOutput() -> Output? {
        while true {
            if let output = queue.popFirst() { return output }
            guard let output = honest.nextOutput() else { return nil }
            guard case .send(let link, let message, let payload) = output else { return output }
            twist(link, message, payload)
        }
    }

    private func pass(_ link: LinkID, _ message: Message, _ payload: (any Payload)? = nil) {
        queue.append(.send(link, message, payload: payload))
    }

    private func act(_ link: LinkID, _ message: Message, _ payload: (any Payload)? = nil) {
        acts += 1
        pass(link, message, payload)
    }

    // MARK: What it does

    private func twist(_ link: LinkID, _ message: Message, _ payload: (any Payload)?) {
        switch (role, message) {
        case (.garbler, .data), (.swapper, .data), (.mute, .data), (.mute, .absent), (.mute, .digests), (.mute, .root),
            (.withholder, .data), (.whitewasher, .data):
            serve(link, message, payload)
        case (.mute, .have(let have)), (.withholder, .have(let have)), (.strangler, .have(let have)):
            claim(link, have)
        case (.sizer, .digests(let vouch)): misstate(link, vouch)
        case (.hammer, .request(let request)), (.glutton, .request(let request)), (.dreamer, .request(let request)),
            (.flapper, .request(let request)):
            ask(link, request)
        case (.boaster, .interest(var interest)):
            interest.share = UploadShare.whole
            act(link, .interest(interest))
        case (.flooder, .have(let have)): flood(link, have)
        case (.misleader, .have(let have)):
            mislead(link, have.handle)
            pass(link, message)
        default: pass(link, message, payload)
        }
    }

    private func serve(_ link: LinkID, _ message: Message, _ payload: (any Payload)?) {
        guard case .data(_, let firstChunk) = message, let media = payload as? SimulatedPayload else {
            acts += 1
            return
        }
        chunksSeen += 1
        switch role {
        case .garbler: act(link, message, media.tampered(mixed(seed, chunksSeen) | 1))
        case .whitewasher: act(link, message, media.tampered(seed | 1))
        case .swapper:
            let piece = media.pieces[0]
            act(link, message, SimulatedPayload(object: mixed(piece.object), offset: piece.offset, count: media.count))
        case .withholder where firstChunk % 4 != 3: pass(link, message, payload)
        default: acts += 1
        }
    }

    /// Everything near what it says of one segment, held and checked.
    private func claim(_ link: LinkID, _ have: Have) {
        var claimed = have
        for place in claimed.ranges.indices where claimed.ranges[place].kind == .media {
            let range = claimed.ranges[place]
            guard range.state != .gone else { continue }
            claimed.ranges[place].first = range.first - min(range.first, 2)
            claimed.ranges[place].count = range.count + 6
            claimed.ranges[place].state = .held
            acts += 1
        }
        pass(link, .have(claimed))
    }

    /// A signed list for a segment of another length than the one it was read with.
    private func misstate(_ link: LinkID, _ vouch: Vouch) {
        var misstated = vouch
        let length = (vouch.edition.length ?? 0) + Int64(1 + mixed(seed, UInt64(acts)) % 5) * 100_000
        misstated.edition = Edition(length: length, validator: vouch.edition.validator, name: vouch.edition.name)
        misstated.voucherKey = signer.publicKey
        misstated.signature = signer.sign(misstated.signedDigest(in: swarm))
        act(link, .digests(misstated))
    }

    private func ask(_ link: LinkID, _ request: RunRequest) {
        pass(link, .request(request))
        for round in 0..<HostileDecider.askedPerRequest {
            lastRequest &+= 1
            var other = request
            other.request = lastRequest
            switch role {
            case .dreamer:
                other.segment.number = request.segment.number &+ (round % 2 == 0 ? 1_000_000 : 0)
                other.chunks = ChunkRun(first: UInt32(round) << 20 | 0x8000_0000, count: 9)
                act(link, .request(other))
            case .flapper:
                act(link, .request(other))
                pass(link, .cancel(request: lastRequest, fromChunk: 0))
            case .glutton:
                other.chunks = ChunkRun(first: 0, count: 16)
                act(link, .request(other))
            default: act(link, .request(other))
            }
        }
    }

    private static let askedPerRequest = 40
    private static let floodPerHave = 12

    /// As much as frames hold, again and again.
    private func flood(_ link: LinkID, _ have: Have) {
        pass(link, .have(have))
        guard let first = have.ranges.first else { return }
        for round in 0..<HostileDecider.floodPerHave {
            let ranges = (0..<512).map { place in
                let number = mixed(seed, UInt64(acts), UInt64(place)) >> 8
                return Have.Range(kind: .media, first: number, count: 1 << 20, state: .held)
            }
            act(link, .have(Have(handle: have.handle, rendition: have.rendition, ranges: ranges)))
            let runs = (0..<512).map { ChunkRun(first: UInt32($0 * 3), count: 1) }
            let id = SegmentID(rendition: have.rendition, number: first.first &+ UInt64(round))
            act(link, .partial(Partial(handle: have.handle, segment: id, runs: runs)))
        }
    }

    /// Where victims are said to be members: a host that is no agent, ports of others, the receiver's own household.
    private func mislead(_ link: LinkID, _ handle: UInt32) {
        let hosts = ["10.200.0.1", "127.0.0.1", "192.168.1.1", "169.254.169.254", "::1", "fe80::1"]
        let hints = hosts.map { host in
            let id = SimulatedSigner(number: mixed(seed, UInt64(acts), UInt64(host.utf8.count))).id
            return PeerHint(id: id, address: PeerAddress(host: host, port: 1 + Int(mixed(seed, UInt64(acts)) % 60_000)))
        }
        act(link, .peers(handle: handle, hints))
    }
}
