import Testing

@testable import WeirCore

@Suite("Time shift of an agent with a disk")
struct DiskWindowAgentTests {
    /// Memory for some segments alone.
    private func settings(disk: Int, cache: Int = 800_000, length: Duration = .seconds(3600)) -> AgentSettings {
        var settings = AgentSettings()
        settings.cacheBytes = cache
        settings.dvrLength = length
        settings.dvrDiskBytes = disk
        return settings
    }

    private func bytes(_ world: AgentWorld, _ agent: Int) -> Int {
        world.disks[agent]?.values.reduce(0) { $0 + $1.bytes } ?? 0
    }

    private func statistics(_ world: AgentWorld, _ agent: Int) -> AgentStatistics {
        world.agents[agent].agent.statistics(at: world.now)
    }

    /// Without printing the bytes.
    private func check(_ world: AgentWorld, _ id: RequestID, _ origin: LiveOrigin, _ number: Int) {
        let isRight = world.body(id, is: origin.body(number))
        #expect(isRight, "\(number)")
    }

    private func lacks(_ world: AgentWorld, _ agent: Int, _ number: UInt64) -> Bool {
        world.agents[agent].agent.streams[0].renditions[0].media[number]?.isHeld != true
    }

    @Test("What leaves memory is played from the disk, byte for byte, and the window is as long as both have room for")
    func fromDisk() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings(disk: 4_000_000))
        let path = world.open(agent, LiveOrigin.url)
        origin.go(60) { world.play(agent, path, origin.newest - 2) }
        let list = world.text(agent, AgentWorld.window(path))
        #expect(!list.contains("GAP") && AgentWorld.numbers(list) == Array(4...65))
        #expect((4...40).allSatisfy { lacks(world, agent, UInt64($0)) })
        let before = world.log.filter { $0.url.hasSuffix(".ts") }.count
        for number in [4, 5, 6, 30, 7] {
            let id = world.get(agent, path.replacingIndex(with: "\(number).ts"))
            world.run(.seconds(1))
            check(world, id, origin, number)
        }
        #expect(world.log.filter { $0.url.hasSuffix(".ts") }.count <= before + 2)
        let report = world.agents[agent].agent.sessions(at: world.now)[0]
        #expect(report.window_seconds > 110 && report.window_disk_bytes > 1_000_000 && report.window_bytes < 800_000)
        #expect(statistics(world, agent).dvr_disk_read_bytes >= 5 * 40_000)
        // Nothing outlives the session.
        world.feed(agent, .close(world.agents[agent].agent.streams[0].id))
        world.run(.seconds(1))
        #expect(world.disks[agent]?.isEmpty == true && statistics(world, agent).dvr_disk_bytes == 0)
    }

    @Test(
        "Two hours: neither memory nor the disk ever takes more than it may, however the disk behaves",
        arguments: 1...2 as ClosedRange<UInt64>
    )
    func budgets(seed: UInt64) {
        let world = AgentWorld()
        let origin = LiveOrigin(world, bytes: 10_000, seconds: 8)
        let agent = world.add(settings(disk: 2_000_000, cache: 400_000), seed: seed)
        var random = RandomSource(seed: seed)
        world.onDisk = { _, order in
            world.diskDelay = .milliseconds(Int(random.next() % 3000))
            guard case .write(let id, _, _) = order, random.next() % 100 == 0 else { return nil }
            return .notWritten(id, .failed("an error"))
        }
        let path = world.open(agent, LiveOrigin.url)
        var most = (memory: Int64(0), disk: 0)
        origin.go(900) {
            world.play(agent, path, origin.newest - 2)
            // Somebody looks back now and then.
            if origin.newest % 7 == 0 {
                let old = max(0, origin.newest - 20 - Int(random.next() % 150))
                world.get(agent, path.replacingIndex(with: "\(old).ts"))
            }
            most.memory = max(most.memory, world.agents[agent].agent.ledgerBytes)
            most.disk = max(most.disk, bytes(world, agent))
        }
        #expect(most.memory <= 300_000 && most.disk <= 2_000_000 && most.disk > 1_000_000)
        let wrong = world.answers.filter { $0.value.isAborted }
        #expect(wrong.isEmpty)
        world.run(.seconds(5))
        #expect(statistics(world, agent).dvr_disk_bytes == Int64(bytes(world, agent)))
        #expect(statistics(world, agent).dvr_disk_failures > 0)
    }

    @Test("What lies on one agent's disk another one plays, when the origin has it no more")
    func toPeers() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let keeper = world.add(settings(disk: 4_000_000))
        let small = world.add(settings(disk: 0, cache: 600_000, length: .zero))
        let paths = [world.open(keeper, LiveOrigin.url), world.open(small, LiveOrigin.url)]
        world.link(keeper, small)
        origin.go(60) { for agent in 0...1 { world.play(agent, paths[agent], origin.newest - 2) } }
        #expect((10...14).allSatisfy { lacks(world, keeper, $0) && lacks(world, small, $0) })
        let list = world.text(small, AgentWorld.window(paths[1]))
        #expect(AgentWorld.numbers(list).contains(10) && !list.contains("GAP"))
        let old = (10...14).map { world.get(small, paths[1].replacingIndex(with: "\($0).ts")) }
        world.run(.seconds(5))
        for (number, id) in zip(10...14, old) { check(world, id, origin, number) }
        #expect(statistics(world, small).peer_bytes >= 5 * 40_000)
    }

    @Test("F84 A file that is not what was written is dropped, and the segment comes from a peer that has it")
    func rotten() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings(disk: 4_000_000))
        let other = world.add(settings(disk: 0, cache: 6_000_000))
        let paths = [world.open(agent, LiveOrigin.url), world.open(other, LiveOrigin.url)]
        world.link(agent, other)
        origin.go(40) { for agent in 0...1 { world.play(agent, paths[agent], origin.newest - 2) } }
        #expect(lacks(world, agent, 10))
        world.onDisk = { _, order in
            guard case .read(let id) = order else { return nil }
            return .unreadable(id, .damaged)
        }
        let id = world.get(agent, paths[0].replacingIndex(with: "10.ts"))
        world.run(.seconds(3))
        #expect(world.body(id, is: origin.body(10)))
        #expect(statistics(world, agent).dvr_disk_damaged == 1)
        #expect(statistics(world, agent).dvr_disk_bytes == Int64(bytes(world, agent)))
    }

    @Test("F84 Where nobody else has it, what was lost is a gap of the list, and the stream goes on")
    func rottenAlone() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings(disk: 4_000_000))
        let path = world.open(agent, LiveOrigin.url)
        origin.go(40) { world.play(agent, path, origin.newest - 2) }
        world.onDisk = { _, order in
            guard case .read(let id) = order else { return nil }
            // The bytes are right, but not what is known of them.
            let file = world.disks[agent]?[id]
            return .read(id, chunks: file?.chunks ?? [], evidence: Array(file?.evidence.dropLast() ?? []))
        }
        let id = world.get(agent, path.replacingIndex(with: "10.ts"))
        world.run(.seconds(8))
        #expect(world.answers[id]?.status == 404 || world.answers[id]?.status == 504)
        #expect(statistics(world, agent).dvr_disk_damaged == 1)
        let list = world.text(agent, AgentWorld.window(path))
        #expect(list.contains("#EXT-X-GAP\n#EXTINF:2.000000,\n" + path.replacingIndex(with: "10.ts")))
    }

    @Test(
        "F83 A disk that is full, broken or read-only: the window goes on in memory, with one message, until it works",
        arguments: [DiskFailure.full, .failed("Input/output error"), .failed("Read-only file system")]
    )
    func full(failure: DiskFailure) {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        let agent = world.add(settings(disk: 4_000_000))
        let path = world.open(agent, LiveOrigin.url)
        var isBroken = true
        world.onDisk = { _, order in
            guard isBroken, case .write(let id, _, _) = order else { return nil }
            return .notWritten(id, failure)
        }
        origin.go(60) { world.play(agent, path, origin.newest - 2) }
        let warnings = world.logs.filter { $0.event.level == .warning }
        #expect(warnings.count == 1 && warnings.first?.event.metadata.first?.value == failure.description)
        #expect(statistics(world, agent).dvr_disk_failures > 0 && statistics(world, agent).dvr_disk_bytes == 0)
        let numbers = AgentWorld.numbers(world.text(agent, AgentWorld.window(path)))
        #expect(numbers.count > 10 && numbers.last == origin.newest)
        isBroken = false
        origin.go(350) { world.play(agent, path, origin.newest - 2) }
        #expect(bytes(world, agent) > 1_000_000)
        #expect(world.logs.filter { $0.event.level == .warning }.count == 1)
        #expect(world.logs.contains { $0.event.message == "the time shift window goes on to the disk again" })
    }

    @Test("A peer that asks for all that lies on the disk has little of it in memory at once")
    func greedyPeer() {
        let world = AgentWorld()
        let origin = LiveOrigin(world)
        var own = settings(disk: 4_000_000)
        own.uploadBytesPerSecond = 20_000
        let agent = world.add(own)
        let path = world.open(agent, LiveOrigin.url)
        origin.go(60) { world.play(agent, path, origin.newest - 2) }
        let signer = TestSigner(200)
        let peer = LinkPeer(
            id: signer.id,
            publicKey: signer.publicKey,
            address: PeerAddress(host: "10.9.9.9", port: 1)
        )
        var link = LinkID(0)
        link = world.attach(agent, peer) { message, _ in
            if case .ping(let nonce) = message { world.feed(agent, .linkMessage(link, .pong(nonce), payload: nil)) }
        }
        let stream = world.agents[agent].agent.streams[0]
        let hello = Hello(listenPort: 0, uploads: true, swarms: [stream.swarm])
        world.feed(agent, .linkMessage(link, .hello(hello), payload: nil))
        let before = statistics(world, agent).dvr_disk_read_bytes
        for number in 4..<44 {
            let name = stream.renditions[0].media[UInt64(number)]?.edition.name ?? 0
            let request = RunRequest(
                request: UInt32(number),
                handle: 0,
                segment: SegmentID(rendition: .main, number: UInt64(number)),
                edition: Edition(length: nil, validator: 0, name: name),
                chunks: ChunkRun(first: 0, count: 3),
                list: nil
            )
            world.feed(agent, .linkMessage(link, .request(request), payload: nil))
        }
        world.run(.milliseconds(200))
        let first = statistics(world, agent).dvr_disk_read_bytes - before
        #expect(first > 0 && first < 8 * 45_000)
        // In time it gets more.
        world.run(.seconds(20))
        #expect(statistics(world, agent).dvr_disk_read_bytes - before > first + 3 * 40_000)
        #expect(statistics(world, agent).uploaded_bytes > 5 * 40_000)
    }
}
