import WeirCore

/// One of everything that a recording holds.
enum RecordingSample {
    private static let swarm = SwarmID(Array(0..<20))!
    private static let peer = TrackerPeerID(Array("-WR0100-abcdefghijkl".utf8))!
    private static let address = PeerAddress(host: "192.0.2.7", port: 4001)
    private static let endpoints = Endpoints(addresses: [address], identity: PeerID(.sha256([1])))

    private static let claims: PeerClaims = {
        var claims = PeerClaims()
        claims.viewers = 2
        claims.freeUpload = 5
        claims.timeslot = Timeslot(rendition: .main, number: 9, place: .recorded(position: 7, part: 3))
        return claims
    }()

    private static let steering = SteeringManifest(
        lifetime: .seconds(7),
        reloadURI: "r",
        priority: ["a", "b"],
        clones: [PathwayClone(base: "a", id: "b", host: "h", parameters: ["x": "1", "y": "2"])]
    )

    static let inputs: [Input] = [
        .request(PlayerRequest(id: RequestID(1), method: .head, target: "/s/a?x=ä", range: "bytes=0-")),
        .request(PlayerRequest(id: RequestID(2), method: .get, target: "/", connection: ConnectionID(4))),
        .delivered(RequestID(1), bytes: 77), .requestClosed(RequestID(1)),
        .connectionClosed(ConnectionID(4)),
        .fetchHead(FetchID(3), FetchHead(status: 206, fields: [HeaderField("etag", "\"1\"")], url: "http://o/a")),
        .fetchBody(FetchID(3), ByteArrayPayload([1, 2, 3])),
        .fetchEnded(FetchID(3), .complete), .fetchEnded(FetchID(3), .failed(.tls("expired"))),
        .fetchEnded(FetchID(3), .failed(.truncated)),
        .linkUp(
            LinkID(5),
            LinkPeer(id: PeerID(.sha256([2])), publicKey: [4, 5], address: address),
            dial: DialID(6)
        ),
        .linkMessage(LinkID(5), .ping(8), payload: nil),
        .linkMessage(LinkID(5), .data(request: 1, firstChunk: 0), payload: ByteArrayPayload([9, 9])),
        .linkGarbage(LinkID(5), .tooLarge), .linkDrained(LinkID(5), bytes: 5), .linkDown(LinkID(5), .closedByPeer),
        .dialFailed(DialID(6), .notAuthentic("another key")),
        .trackerUp(TrackerID(0)),
        .trackerReply(
            TrackerID(0),
            .swarm(
                swarm,
                interval: 20,
                complete: 1,
                incomplete: 2,
                mode: ChannelMode(.peers, viewers: 3, reason: "many")
            )
        ),
        .trackerReply(TrackerID(0), .offer(swarm: swarm, from: peer, offer: OfferID([1]), endpoints, claims: claims)),
        .trackerReply(TrackerID(0), .answer(swarm: swarm, from: peer, offer: OfferID([]), endpoints)),
        .trackerReply(TrackerID(0), .failure(swarm: nil, reason: "no")), .trackerReply(TrackerID(1), .warning("w")),
        .trackerDown(TrackerID(0), reason: "gone"),
        .open(OpenID(1), StreamRequest(url: "http://o/a.m3u8", swarmName: "s", fields: [HeaderField("cookie", "c")])),
        .channels(try! ChannelList(parsing: Array("#EXTM3U\n#EXTINF:-1,One\nhttp://o/1.m3u8\n".utf8))),
        .close(StreamID("abc")), .steering(StreamID("abc"), steering), .steering(StreamID("abc"), nil),
        .wallClock(milliseconds: 1_790_000_000_000), .timer, .stop,
        .disk(.written(DiskFileID(1))), .disk(.notWritten(DiskFileID(2), .full)),
        .disk(.read(DiskFileID(1), chunks: [ByteArrayPayload([1, 2]), ByteArrayPayload([3])], evidence: [4])),
        .damaged(target: "/s/a/b", reason: "r"), .disk(.unreadable(DiskFileID(3), .damaged)),
        .disk(.unusable(.failed("no"))),
    ]

    /// Whether its description says everything and says it the same each time.
    static func isPlain(_ input: Input) -> Bool {
        switch input {
        case .fetchBody, .channels, .steering, .disk(.read): false
        case .linkMessage(_, _, let payload): payload == nil
        default: true
        }
    }

    static let settings: AgentSettings = {
        var settings = AgentSettings()
        settings.minimumBuffer = .seconds(1)
        settings.downloadTimeout = .seconds(2)
        settings.stallTimeout = .seconds(3)
        settings.maximumBuffer = .seconds(4)
        settings.cacheBytes = 5
        settings.uploadBytesPerSecond = 6
        settings.integrity = .anchored
        settings.localNetworks = [NetworkPrefix(address: [10, 0, 0, 0], length: 8)]
        settings.edges = ["http://edge/"]
        settings.peers = [address]
        settings.trackerCount = 2
        settings.trackerHosts = ["t"]
        settings.swarmName = "name"
        settings.ownAddresses = [address]
        settings.allowedURLPrefixes = ["http://o/"]
        settings.zapBudget = 7
        settings.seedTime = nil
        settings.liveOffset = .seconds(8)
        settings.dvrLength = .seconds(9)
        settings.dvrBytes = 10
        settings.dvrDiskBytes = 11
        return settings
    }()

    static func result(_ place: Int) -> Recording.Result {
        let answers: [Recording.SignerAnswer] = [
            .signature(over: .sha256([3]), [1, 2]), .verified(question: .sha256([4]), true),
            .identity(ofKey: [5], nil), .identity(ofKey: [6], PeerID(.sha256([6]))),
        ]
        return Recording.Result(
            answers: Array(answers.prefix(place % 5)),
            outputs: [OutputMark(outputs[place % outputs.count])],
            nextDeadline: place % 3 == 0 ? nil : Instant(nanoseconds: Int64(place))
        )
    }

    static let outputs: [Output] = [
        .answerHead(RequestID(1), AnswerHead(status: 200, fields: [], bodyLength: nil)),
        .answerHead(RequestID(1), AnswerHead(status: 200, fields: [], bodyLength: 0)),
        .answerBytes(RequestID(1), [1]), .answerBody(RequestID(1), ByteArrayPayload([1])),
        .answerBody(RequestID(1), ByteArrayPayload([2])), .answerEnd(RequestID(1)), .answerEnd(RequestID(2)),
        .answerAbort(RequestID(1)), .fetch(FetchID(1), FetchRequest(url: "http://o/a", purpose: .segment)),
        .fetch(FetchID(1), FetchRequest(url: "http://o/a", purpose: .audit)), .pauseFetch(FetchID(1)),
        .resumeFetch(FetchID(1)), .cancelFetch(FetchID(1)), .dial(DialID(1), address, expecting: nil),
        .send(LinkID(1), .ping(1), payload: nil), .send(LinkID(1), .ping(2), payload: nil),
        .closeLink(LinkID(1), reason: "r"), .openTracker(TrackerID(0)), .closeTracker(TrackerID(0)),
        .announce(TrackerID(0), .answer(swarm: swarm, me: peer, to: peer, offer: OfferID([1]), sdp: endpoints)),
        .disk(.write(DiskFileID(1), chunks: [ByteArrayPayload([1])], evidence: [2])),
        .disk(.write(DiskFileID(1), chunks: [ByteArrayPayload([1])], evidence: [3])),
        .disk(.read(DiskFileID(1))), .disk(.remove(DiskFileID(1))),
        .readSteering(StreamID("a"), [1]), .opened(OpenID(1), .failed(.refused, "no")),
        .log(LogEvent(.info, "m", [("a", "b")])), .stopped,
    ]

    /// A record with a right check, behind a recording's first bytes, which hold one record.
    static func record(_ body: [UInt8], after head: [UInt8]) -> [UInt8] {
        var reader = ByteReader(Array(head.dropFirst(Recording.magic.count)))
        let count = Int(try! reader.varint())
        var check: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in try! reader.raw(count) + body { check = (check ^ UInt64(byte)) &* 0x100_0000_01b3 }
        var writer = ByteWriter()
        writer.varint(UInt64(body.count))
        writer.raw(body)
        writer.fixed64(check)
        return writer.bytes
    }
}
