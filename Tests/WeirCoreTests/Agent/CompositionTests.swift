import Testing
import WeirCore

/// A low-latency playlist and its media: four parts of half a second make a segment.
private struct PartedStream {
    enum Kind: CaseIterable { case ranges, files, unequalFiles, encryptedFiles }

    static let url = "http://o.example/live/index.m3u8"
    static let partBytes = 30_000
    let kind: Kind

    var isRanges: Bool { kind == .ranges }

    func part(_ segment: Int, _ part: Int) -> [UInt8] {
        var random = SeededBytes(UInt64(segment * 10 + part))
        return (0..<PartedStream.partBytes + part * 7).map { _ in random.next() }
    }

    func whole(_ segment: Int) -> [UInt8] {
        let joined = (0..<4).flatMap { part(segment, $0) }
        return kind == .unequalFiles ? joined.dropLast() + [joined.last! ^ 1] : joined
    }

    /// - Parameter isWhole: the newest segment is listed itself, not its parts alone.
    func list(newest: Int, isWhole: Bool) -> String {
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=0.5\n"
            + "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=1.5\n#EXT-X-MEDIA-SEQUENCE:\(newest - 9)\n"
            + (kind == .encryptedFiles ? "#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n" : "")
            + (newest - 9...newest).map { segment in
                (segment > newest - 3 ? tags(segment) : "")
                    + (segment < newest || isWhole ? "#EXTINF:2.0,\n\(segment).mp4\n" : "")
            }.joined()
    }

    private func tags(_ segment: Int) -> String {
        var offset = 0
        return (0..<4).map { part in
            defer { offset += self.part(segment, part).count }
            guard isRanges else { return "#EXT-X-PART:DURATION=0.5,URI=\"\(segment).\(part).mp4\"\n" }
            let length = self.part(segment, part).count
            return "#EXT-X-PART:DURATION=0.5,URI=\"\(segment).mp4\",BYTERANGE=\"\(length)@\(offset)\"\n"
        }.joined()
    }

    func publish(_ newest: Int, isWhole: Bool = true, in world: AgentWorld) {
        let text = list(newest: newest, isWhole: isWhole)
        world.resources[PartedStream.url] = AgentWorld.Resource(bytes: Array(text.utf8))
        for segment in newest - 2...newest {
            let base = "http://o.example/live/\(segment)"
            guard world.resources[base + ".mp4"] == nil else { continue }
            world.resources[base + ".mp4"] = AgentWorld.Resource(bytes: whole(segment))
            guard !isRanges else { continue }
            for part in 0..<4 {
                let resource = AgentWorld.Resource(bytes: self.part(segment, part))
                world.resources["\(base).\(part).mp4"] = resource
            }
        }
    }

    func wholeReads(_ world: AgentWorld, _ segment: Int) -> Int {
        world.log.count { $0.url.hasSuffix("/\(segment).mp4") && $0.range == nil }
    }
}

@Suite("Segments put together from their parts")
struct CompositionTests {
    /// A player of parts and one of segments, in one agent or each in its own; which segments the origin gave whole.
    private func play(_ stream: PartedStream, agents: Int, segments: ClosedRange<Int>) -> (AgentWorld, [Int], Int) {
        let world = AgentWorld()
        stream.publish(segments.lowerBound - 1, in: world)
        let all = (0..<agents).map { _ in world.add() }
        let paths = all.map { world.open($0, PartedStream.url) }
        if agents == 2 { world.link(all[0], all[1]) }
        world.run(.milliseconds(1200))
        var wrong = 0
        for segment in segments {
            stream.publish(segment, isWhole: false, in: world)
            for (agent, path) in zip(all, paths) { _ = world.get(agent, path) }
            world.run(.milliseconds(50))
            for part in 0..<4 {
                let id = world.get(all[0], paths[0].replacingIndex(with: "\(segment).\(part).mp4"))
                world.run(.milliseconds(300))
                if !world.body(id, is: stream.part(segment, part)) { wrong += 1 }
            }
            stream.publish(segment, in: world)
            for (agent, path) in zip(all, paths) { _ = world.get(agent, path) }
            world.run(.milliseconds(50))
            let id = world.get(all[agents - 1], paths[agents - 1].replacingIndex(with: "\(segment).mp4"))
            world.run(.milliseconds(700))
            if !world.body(id, is: stream.whole(segment)) { wrong += 1 }
        }
        return (world, segments.filter { stream.wholeReads(world, $0) > 0 }, wrong)
    }

    @Test("A player of segments beside one of parts costs the origin nothing: at once where parts are ranges")
    func beside() {
        let (world, read, wrong) = play(PartedStream(kind: .ranges), agents: 1, segments: 20...26)
        #expect(read == [] && wrong == 0)
        world.expectSound(0)
    }

    @Test("Parts in files of their own are proved on three segments, then they are enough")
    func proved() {
        let (world, read, wrong) = play(PartedStream(kind: .files), agents: 1, segments: 20...26)
        #expect(read == [20, 21, 22] && wrong == 0)
        world.expectSound(0)
    }

    @Test("A segment that is not its parts is read whole, each time, and a log line says so once")
    func refuted() {
        let (world, read, wrong) = play(PartedStream(kind: .unequalFiles), agents: 1, segments: 20...26)
        #expect(read == Array(20...26) && wrong == 0)
        #expect(world.logs.count { $0.event.message.hasPrefix("a segment is not its parts") } == 1)
    }

    @Test("Parts in files of their own never make an encrypted segment")
    func encrypted() {
        let (_, read, wrong) = play(PartedStream(kind: .encryptedFiles), agents: 1, segments: 20...26)
        #expect(read == Array(20...26) && wrong == 0)
    }

    @Test(
        "In a swarm of one player of parts and one of segments no segment is read whole after its start and the proof",
        arguments: [true, false]
    )
    func mixed(isRanges: Bool) {
        let (world, read, wrong) = play(PartedStream(kind: isRanges ? .ranges : .files), agents: 2, segments: 20...30)
        #expect(wrong == 0)
        // The first is the player's start, and three are proof.
        #expect(read.allSatisfy { $0 <= 24 } && read.count <= (isRanges ? 1 : 5), "\(read)")
        let second = world.statistics(1)
        // Files of parts do not say how long they are: beyond the proof, the origin gives them where time is short.
        #expect(second.peer_bytes >= (isRanges ? 5 : 3) * Int64(4 * PartedStream.partBytes))
        #expect(second.rejected_bytes == 0)
        for agent in 0...1 { world.expectSound(agent) }
        // Nothing that was put together was vouched for: each agent states what it has read itself.
        let vouched = world.sent.compactMap { sent -> UInt64? in
            guard case .digests(let vouch) = sent.message, vouch.segment.rendition == .main else { return nil }
            return vouch.segment.number
        }
        #expect(Set(vouched).isSubset(of: Set(read.map { UInt64($0) })), "\(vouched)")
    }

    @Test("Parts that do not last as long as their segment, or leave a hole, are not taken for it")
    func incomplete() throws {
        let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PART-INF:PART-TARGET=0.5\n"
        func parts(_ numbers: ClosedRange<Int>, gap: Int? = nil) -> String {
            numbers.map {
                "#EXT-X-PART:DURATION=0.5,URI=\"1.mp4\",BYTERANGE=\"100@\($0 * 100)\"\($0 == gap ? ",GAP=YES" : "")\n"
            }.joined()
        }
        for (tags, isWhole) in [
            (parts(0...3), true), (parts(1...3), false), (parts(0...2), false), (parts(0...3, gap: 2), false),
            (parts(0...1) + parts(3...3) + parts(2...2), true),
        ] {
            let probe = AgentProbe()
            let path = probe.open(PartedStream.url, head + tags + "#EXTINF:2.0,\n1.mp4\n")
            for part in 0..<4 {
                _ = probe.ask(path.replacingIndex(with: "0.\(part).mp4"), userAgent: "parts")
                for fetch in probe.fetches("/1.mp4") where fetch.range != nil && !probe.isCancelled(fetch.id) {
                    let range = fetch.range!.dropFirst(6).split(separator: "-").compactMap { Int($0) }
                    guard range.count == 2 else { continue }
                    probe.head(fetch.id, 206, [("content-range", "bytes \(range[0])-\(range[1])/400")])
                    probe.body(fetch.id, [UInt8](repeating: UInt8(part), count: 100))
                    probe.end(fetch.id)
                }
            }
            let whole = probe.ask(path.replacingIndex(with: "0.mp4"), userAgent: "segments")
            let isRead = probe.fetches("/1.mp4").contains { $0.range == nil }
            // The last case is whole by its durations, but its ranges do not follow each other.
            let isOrdered = !tags.contains("@300\"\n#EXT-X-PART:DURATION=0.5,URI=\"1.mp4\",BYTERANGE=\"100@200")
            #expect(isRead != (isWhole && isOrdered), "\(tags)")
            if isWhole, isOrdered { #expect(probe.received(whole).count == 400) }
        }
    }
}
