import Testing
import WeirCore

@Suite("A recording's journal") struct CaptureJournalTests {
    private func journal(_ random: inout RandomSource) -> CaptureJournal {
        let begun = WallTime(nanoseconds: Int64(random.next() % 1_000_000_000_000))
        var journal = CaptureJournal(format: .mkv, stream: "abcdefgh23", begun: begun)
        journal.bytes = Int64(random.next() % 1_000_000)
        journal.blocks = Int64(random.next() % 1_000)
        journal.state = CaptureJournal.State.allCases[Int(random.next() % 4)]
        journal.reason = random.next() % 2 == 0 ? "" : "the disk has no more space"
        for _ in 0..<random.next() % 4 {
            let length = random.next() % 2 == 0 ? nil : Int64(random.next() % 100_000)
            journal.add(.init(at: Int64(random.next() % 1_000_000), length: length))
        }
        guard random.next() % 4 > 0 else { return journal }
        let tracks = (0...random.next() % 3).map { number in
            CaptureJournal.Track(
                last: number == 2 ? Int64.min : Int64(bitPattern: random.next()) / 4,
                tick: .init(1, 90_000),
                written: Int64(random.next() % 1_000_000)
            )
        }
        let period: Duration? = random.next() % 2 == 0 ? nil : .seconds(Int(random.next() % 1_000))
        journal.point = CaptureJournal.Point(
            timeline: random.next(),
            shift: -Int64(random.next() % 1_000_000),
            end: Int64(random.next() % 1_000_000),
            places: (0...random.next() % 2).map { _ in .init(segment: random.next(), period: period) },
            tracks: tracks
        )
        return journal
    }

    @Test("What is written is what is read", arguments: UInt64(1)...60)
    func roundTrip(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let written = journal(&random)
        #expect(CaptureJournal(text: written.text) == written)
    }

    @Test("What is cut off or damaged is gone on from as little as it can be trusted", arguments: UInt64(1)...60)
    func damage(seed: UInt64) throws {
        var random = RandomSource(seed: seed)
        let written = journal(&random)
        let text = written.text
        #expect(CaptureJournal(text: String(text.dropLast())) == nil)
        #expect(CaptureJournal(text: "") == nil)
        #expect(CaptureJournal(text: "\n") == nil)
        #expect(CaptureJournal(text: text.replacing("weir recording 1", with: "weir recording 2")) == nil)
        #expect(CaptureJournal(text: text.replacing("format mkv", with: "format avi")) == nil)
        #expect(CaptureJournal(text: text.replacing("bytes ", with: "bytes -")) == nil || written.bytes == 0)
        if written.point != nil {
            let places = text.split(separator: "\n").filter { !$0.hasPrefix("place") }.joined(separator: "\n") + "\n"
            #expect(CaptureJournal(text: places) == nil)
        }
        // Any bytes at all: an answer, and never a trap.
        var bytes = Array(text.utf8)
        for _ in 0..<5 { bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() % 256) }
        _ = CaptureJournal(text: String(decoding: bytes, as: UTF8.self))
    }

    @Test("A line that a later build writes is passed over")
    func unknown() {
        let written = CaptureJournal(format: .ts, stream: "a", begun: .epoch)
        #expect(CaptureJournal(text: written.text + "colour blue\n") == written)
    }

    @Test("However many gaps there are, the journal stays one that can be read")
    func manyGaps() throws {
        var journal = CaptureJournal(format: .ts, stream: "a", begun: .epoch)
        for number in 0..<5_000 { journal.add(.init(at: Int64.max - Int64(number), length: Int64.max)) }
        #expect(journal.gaps.count == CaptureJournal.mostGaps)
        #expect(journal.moreGaps == 5_000 - CaptureJournal.mostGaps)
        #expect(journal.text.utf8.count < CaptureJournal.mostBytes)
        #expect(CaptureJournal(text: journal.text) == journal)
    }

    @Test("Only the same stream in the same container goes on in a file, unless that is complete")
    func refusals() {
        var journal = CaptureJournal(format: .ts, stream: "a", begun: .epoch)
        #expect(journal.refusal(of: "a", .ts) == nil)
        #expect(journal.refusal(of: "b", .ts) != nil)
        #expect(journal.refusal(of: "a", .mp4) != nil)
        for (state, mayGoOn) in [(CaptureJournal.State.full, true), (.complete, false), (.failed, false)] {
            journal.state = state
            #expect((journal.refusal(of: "a", .ts) == nil) == mayGoOn)
        }
    }
}
