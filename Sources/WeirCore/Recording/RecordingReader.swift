/// Reads a recording, record by record. Whatever the bytes are, it ends in a step or an error.
package struct RecordingReader: Sendable {
    /// One input and what came of it; no result when the agent died over it or the file was cut there.
    package struct Step: Sendable {
        package var input: Input
        package var at: Instant
        package var result: Recording.Result?
    }

    package private(set) var start: Recording.Start
    /// How it ended, once it has been read so far; nil: it breaks off.
    package private(set) var end: Recording.End?
    private var reader: ByteReader
    /// Over everything so far: it finds errors, not liars.
    private var check = FowlerNollVoHash()
    private var records = 0

    package init(_ bytes: [UInt8]) throws(RecordingError) {
        var reader = ByteReader(bytes)
        guard reader.remaining >= Recording.magic.count,
            let magic = try? reader.raw(Recording.magic.count), magic == Recording.magic
        else { throw .notARecording }
        self.reader = reader
        start = Recording.Start(settings: AgentSettings(), limits: Limits(), publicKey: [], identity: .none, seed: 0)
        guard let body = try record(), body.kind == .start else { throw .notARecording }
        var fields = body.fields
        do throws(CodecError) {
            let seed = try fields.fixed64()
            let publicKey = try fields.blob()
            let identity = PeerID(try fields.digest())
            let limits = try fields.text()
            let settings = try fields.settings()
            guard fields.remaining == 0 else { throw .trailing }
            var start = Recording.Start(
                settings: settings,
                limits: Limits(),
                publicKey: publicKey,
                identity: identity,
                seed: seed
            )
            start.limits = limits
            self.start = start
        } catch {
            throw .unknown(record: 0)
        }
    }

    /// The next input with its result; nil when the recording is over.
    package mutating func next() throws(RecordingError) -> Step? {
        guard end == nil, let first = try record() else { return nil }
        var fields = first.fields
        let place = records - 1
        var step: Step
        do throws(CodecError) {
            switch first.kind {
            case .end:
                end = try fields.end()
                return nil
            case .input:
                let time = Instant(nanoseconds: try fields.whole64())
                let input = try fields.input()
                guard fields.remaining == 0 else { throw .trailing }
                step = Step(input: input, at: time, result: nil)
            case .start, .result: throw .number
            }
        } catch {
            throw .unknown(record: place)
        }
        step.result = try result()
        return step
    }

    /// The result of the input that was read last.
    private mutating func result() throws(RecordingError) -> Recording.Result? {
        guard let body = try record() else { return nil }
        var fields = body.fields
        do throws(CodecError) {
            if body.kind == .end {
                end = try fields.end()
                return nil
            }
            guard body.kind == .result else { throw .number }
            let answers = try fields.list(eachAtLeast: 2) { (reader) throws(CodecError) in try reader.answer() }
            let outputs = try fields.list(eachAtLeast: 9) { (reader) throws(CodecError) in
                guard let kind = OutputMark.Kind(rawValue: try reader.byte()) else { throw .number }
                return OutputMark(kind: kind, digest: try reader.fixed64())
            }
            let deadline = try fields.option { (reader) throws(CodecError) in
                Instant(nanoseconds: try reader.whole64())
            }
            guard fields.remaining == 0 else { throw .trailing }
            return Recording.Result(answers: answers, outputs: outputs, nextDeadline: deadline)
        } catch {
            throw .unknown(record: records - 1)
        }
    }

    /// A whole record; nil at the end, also where a killed agent's last one is cut off.
    private mutating func record() throws(RecordingError) -> (kind: Recording.Kind, fields: ByteReader)? {
        let place = records
        guard reader.remaining > 0 else { return nil }
        let body: [UInt8]
        let stated: UInt64
        do throws(CodecError) {
            let count = try reader.varint()
            guard count > 0, count <= UInt64(Recording.recordBytes) else { throw .tooLarge }
            body = try reader.raw(Int(count))
            stated = try reader.fixed64()
        } catch .truncated {
            reader = ByteReader([])
            return nil
        } catch {
            throw .damaged(record: place)
        }
        check.add(body)
        guard check.value == stated else { throw .damaged(record: place) }
        records += 1
        guard let kind = Recording.Kind(rawValue: body[0]) else { throw .unknown(record: place) }
        return (kind, ByteReader(Array(body.dropFirst())))
    }
}

extension PeerID {
    fileprivate static let none = PeerID(Digest(words: (0, 0, 0, 0)))
}

extension ByteReader {
    fileprivate mutating func end() throws(CodecError) -> Recording.End {
        guard let end = Recording.End(rawValue: try byte()) else { throw .number }
        return end
    }

    fileprivate mutating func answer() throws(CodecError) -> Recording.SignerAnswer {
        switch try byte() {
        case 0: return .signature(over: try digest(), try blob())
        case 1: return .verified(question: try digest(), try truth())
        case 2:
            return .identity(
                ofKey: try blob(),
                try option { (reader) throws(CodecError) in PeerID(try reader.digest()) }
            )
        default: throw .number
        }
    }

    // MARK: Parts that repeat

    mutating func whole64() throws(CodecError) -> Int64 { Int64(bitPattern: try fixed64()) }

    mutating func number() throws(CodecError) -> Int {
        guard let value = Int(exactly: try whole64()) else { throw .number }
        return value
    }

    mutating func truth() throws(CodecError) -> Bool {
        switch try byte() {
        case 0: return false
        case 1: return true
        default: throw .number
        }
    }

    mutating func blob() throws(CodecError) -> [UInt8] {
        try raw(try count(upTo: Recording.recordBytes, eachAtLeast: 1))
    }

    mutating func text() throws(CodecError) -> String { String(decoding: try blob(), as: UTF8.self) }

    mutating func option<Value>(
        _ read: (inout ByteReader) throws(CodecError) -> Value
    ) throws(CodecError) -> Value? {
        try truth() ? try read(&self) : nil
    }

    mutating func list<Value>(
        eachAtLeast bytes: Int,
        _ read: (inout ByteReader) throws(CodecError) -> Value
    ) throws(CodecError) -> [Value] {
        var values: [Value] = []
        for _ in 0..<(try count(upTo: Recording.recordBytes, eachAtLeast: bytes)) { values.append(try read(&self)) }
        return values
    }

    mutating func address() throws(CodecError) -> PeerAddress {
        PeerAddress(host: try text(), port: try number())
    }

    mutating func fields() throws(CodecError) -> [HeaderField] {
        try list(eachAtLeast: 2) { (reader) throws(CodecError) in HeaderField(try reader.text(), try reader.text()) }
    }
}
