import Testing
import WeirCore

@Suite("Recordings")
struct RecordingTests {
    private static let identity = PeerID(.sha256(Array("me".utf8)))

    private static func start(_ settings: AgentSettings = AgentSettings()) -> Recording.Start {
        Recording.Start(settings: settings, limits: Limits(), publicKey: [4, 1, 2], identity: identity, seed: 99)
    }

    /// A recording with every kind of input, a result for each, and an end.
    private static func whole() throws -> [UInt8] {
        var writer = RecordingWriter()
        var bytes = writer.begin(start())
        for (place, input) in RecordingSample.inputs.enumerated() {
            bytes += try writer.input(input, at: Instant(nanoseconds: Int64(place) * 1_000_003))
            bytes += writer.result(RecordingSample.result(place))
        }
        return bytes + writer.end(.stopped)
    }

    /// Everything in it, as text; nil where it is refused.
    private static func read(_ bytes: [UInt8]) throws -> [String] {
        var reader = try RecordingReader(bytes)
        var lines: [String] = []
        while let step = try reader.next() {
            lines.append("\(step.at.nanoseconds) \(step.input.kind) \(step.result.map { "\($0)" } ?? "-")")
        }
        return lines
    }

    @Test("Every kind of input is written and read again as the same", arguments: RecordingSample.inputs.indices)
    func inputs(place: Int) throws {
        let input = RecordingSample.inputs[place]
        func bytes(_ input: Input) throws -> [UInt8] {
            var writer = RecordingWriter()
            return try writer.begin(Self.start()) + writer.input(input, at: Instant(nanoseconds: 5))
        }
        let first = try bytes(input)
        var reader = try RecordingReader(first)
        let step = try #require(try reader.next())
        #expect(step.at == Instant(nanoseconds: 5))
        #expect(step.result == nil)
        #expect(step.input.kind == input.kind)
        #expect(try bytes(step.input) == first)
        if RecordingSample.isPlain(input) { #expect("\(step.input)" == "\(input)") }
    }

    @Test("The samples have all kinds of inputs")
    func kinds() {
        #expect(Set(RecordingSample.inputs.map(\.kind.rawValue)) == Set(Input.Kind.allCases.map(\.rawValue)))
    }

    @Test("Settings come back as they were, and none is left out")
    func settings() throws {
        let settings = RecordingSample.settings
        var writer = RecordingWriter()
        let reader = try RecordingReader(writer.begin(Self.start(settings)))
        #expect("\(reader.start.settings)" == "\(settings)")
        #expect(reader.start.seed == 99 && reader.start.identity == Self.identity)
        #expect(reader.start.publicKey == [4, 1, 2])
        // Each differs from its default in the sample, so that one that is not written would show above.
        let defaults = Mirror(reflecting: AgentSettings()).children.map { "\($0.value)" }
        for (child, usual) in zip(Mirror(reflecting: settings).children, defaults) {
            #expect("\(child.value)" != usual, "give \(child.label ?? "") another value in the sample")
        }
    }

    @Test("A recording that breaks off is read as far as it goes")
    func brokenOff() throws {
        let bytes = try Self.whole()
        let lines = try Self.read(bytes)
        #expect(lines.count == RecordingSample.inputs.count)
        var shortest = try RecordingReader(bytes)
        while try shortest.next() != nil {}
        #expect(shortest.end == .stopped)
        for count in stride(from: 0, to: bytes.count, by: 37) {
            guard let part = try? Self.read(Array(bytes.prefix(count))) else { continue }
            #expect(part.count <= lines.count)
            #expect(part.dropLast().elementsEqual(lines.prefix(max(0, part.count - 1))))
        }
    }

    @Test("Damaged bytes are found, and never trap")
    func damaged() throws {
        let bytes = try Self.whole()
        let lines = try Self.read(bytes)
        for place in bytes.indices {
            var damaged = bytes
            damaged[place] ^= UInt8(1 << (place % 8))
            do throws(RecordingError) {
                var reader = try RecordingReader(damaged)
                var steps = 0
                while try reader.next() != nil { steps += 1 }
                // A damaged length may look like a file that was cut.
                #expect(steps < lines.count || reader.end == nil)
            } catch {
                #expect(!"\(error)".isEmpty)
            }
        }
    }

    @Test("Bytes with right checks and senseless bodies are refused", arguments: 0..<200 as Range<UInt64>)
    func senseless(seed: UInt64) throws {
        var random = SeededBytes(seed)
        var writer = RecordingWriter()
        let head = writer.begin(Self.start())
        let body = (0..<Int(1 + seed % 60)).map { _ in random.next() }
        let bytes = head + RecordingSample.record([UInt8(1 + seed % 5)] + body, after: head)
        // Either a step that happens to make sense or a refusal that says where.
        do throws(RecordingError) {
            var reader = try RecordingReader(bytes)
            while try reader.next() != nil {}
        } catch {
            #expect(error == .unknown(record: 1) || error == .damaged(record: 1))
        }
    }

    @Test("What is no recording is said to be none", arguments: ["", "weir", "#EXTM3U\n", "weir recording 2\n\u{0}"])
    func foreign(text: String) {
        #expect(throws: RecordingError.notARecording) { try RecordingReader(Array(text.utf8)) }
    }

    @Test("Outputs that differ have different marks")
    func marks() {
        let marks = RecordingSample.outputs.map { OutputMark($0) }
        #expect(Set(marks).count == marks.count)
        #expect(marks == RecordingSample.outputs.map { OutputMark($0) })
    }
}
