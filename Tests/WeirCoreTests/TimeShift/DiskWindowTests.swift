import Testing

@testable import WeirCore

@Suite("The books of the window on the disk")
struct DiskWindowTests {
    private func file(_ number: Int, bytes: Int64 = 10) -> DiskWindow.File {
        DiskWindow.File(
            stream: StreamID("s"),
            rendition: .main,
            number: UInt64(number),
            bytes: bytes,
            edge: Instant.start + .seconds(number)
        )
    }

    @Test("Whatever comes and goes, neither the budget nor what may wait is ever exceeded", arguments: 1...20)
    func budgets(seed: UInt64) {
        var random = RandomSource(seed: seed)
        var disk = DiskWindow(budget: 1000, memory: 1200)
        var left: [DiskFileID] = []
        var now = Instant.start
        var added = 0
        for number in 0..<500 {
            let bytes = Int64(1 + random.next() % 120)
            if let (id, gone) = disk.add(file(number, bytes: bytes), at: now) {
                for old in gone {
                    let removed = disk.remove(old)
                    #expect(removed != nil && old < id)
                }
                left.append(id)
                added += 1
            }
            if random.next() % 3 > 0, let id = left.popLast() { disk.settle(id) }
            if random.next() % 20 == 0, let id = disk.files.keys.min() { _ = disk.remove(id) }
            if random.next() % 50 == 0 {
                _ = disk.fail(at: now)
                let refused = disk.add(file(number), at: now + .seconds(1))
                #expect(refused == nil)
                now = now + DiskWindow.pause
            }
            #expect(disk.used <= 1000 && disk.waiting <= disk.room)
            #expect(disk.used == disk.files.values.reduce(0) { $0 + $1.bytes })
            #expect(disk.waiting == disk.files.values.reduce(0) { $0 + ($1.isWritten ? 0 : $1.bytes) })
        }
        #expect(added > 100)
    }

    @Test("The oldest makes room, unless somebody waits for it; what is older than all gets none")
    func order() throws {
        var disk = DiskWindow(budget: 30, memory: 400)
        var ids: [DiskFileID] = []
        for number in [3, 1, 2] {
            let added = disk.add(file(number), at: .start)
            ids.append(try #require(added).id)
        }
        disk.setBeingRead(ids[1], true)
        let newer = disk.add(file(4), at: .start)
        #expect(newer?.gone == [ids[2]])
        let removed = disk.remove(ids[2])
        #expect(removed?.number == 2 && disk.files.count == 3)
        disk.setBeingRead(ids[1], false)
        let next = disk.add(file(5), at: .start)
        #expect(next?.gone == [ids[1]])
        let old = disk.add(file(0), at: .start)
        let large = disk.add(file(9, bytes: 31), at: .start)
        #expect(old == nil && large == nil)
    }

    @Test("A disk that fails is told of once, and once when it works again")
    func failing() {
        var disk = DiskWindow(budget: 30, memory: 400)
        let news = [
            disk.recover(), disk.fail(at: .start), disk.fail(at: .start + .seconds(1)), disk.recover(), disk.recover(),
            disk.fail(at: .start),
        ]
        #expect(news == [false, true, false, true, false, true])
    }

    @Test("Without a budget nothing is written, and no memory is set aside")
    func off() {
        var disk = DiskWindow(budget: 0, memory: 400)
        let added = disk.add(file(1), at: .start)
        #expect(disk.room == 0 && added == nil)
    }

    @Test("What is known of a segment's bytes is read as it was written; cut off or longer it is refused")
    func evidence() throws {
        let signer = TestSigner(3)
        let digests = (0..<5).map { Digest.sha256([UInt8($0)]) }
        let segment = SegmentID(rendition: .main, number: 7)
        let edition = Edition(length: 5 * 16_384, validator: 8, name: 9)
        let vouch = Vouch(
            handle: 0,
            segment: segment,
            edition: edition,
            firstChunk: 2,
            digests: Array(digests[2...]),
            voucherKey: signer.publicKey,
            signature: signer.sign(digests[0])
        )
        var evidence = Evidence()
        evidence.resize(to: 5)
        for chunk in 0..<2 { _ = evidence.addOwn(digests[chunk], chunk: chunk) }
        #expect(evidence.add(vouch, limit: 9) == .agrees)
        let root = RootVouch(
            handle: 0,
            segment: segment,
            edition: edition,
            root: digests[1],
            voucherKey: signer.publicKey,
            signature: signer.sign(digests[1])
        )
        evidence.setRoot(root)
        let origins: [ChunkMap.Origin] = [.origin, .edge, .peer, .peer, .peer]
        var writer = ByteWriter()
        writer.evidence(evidence, origins: origins)
        var reader = ByteReader(writer.bytes)
        let (read, readOrigins) = try reader.evidence(chunks: 5)
        #expect(readOrigins == origins && read.digests == evidence.digests && read.witnesses == evidence.witnesses)
        #expect(read.vouches == [vouch] && read.root == root && read.completeList == digests)
        for bytes in [Array(writer.bytes.dropLast()), writer.bytes + [0], []] {
            #expect(throws: CodecError.self) {
                var reader = ByteReader(bytes)
                _ = try reader.evidence(chunks: 5)
            }
        }
        #expect(throws: CodecError.self) {
            var reader = ByteReader(writer.bytes)
            _ = try reader.evidence(chunks: 4)
        }
    }
}
