/// Turns a session into the bytes of a recording, record by record.
package struct RecordingWriter: Sendable {
    /// Over everything so far: it finds errors, not liars.
    private var check = FowlerNollVoHash()

    package init() {}

    /// The file's first bytes.
    package mutating func begin(_ start: Recording.Start) -> [UInt8] {
        var body = ByteWriter()
        body.byte(Recording.Kind.start.rawValue)
        body.fixed64(start.seed)
        body.blob(start.publicKey)
        body.digest(start.identity.digest)
        body.text(start.limits)
        body.settings(start.settings)
        return Recording.magic + record(body.bytes)
    }

    /// - Throws: for a message that the codec would not write; none that it read is.
    package mutating func input(_ input: Input, at time: Instant) throws(CodecError) -> [UInt8] {
        var body = ByteWriter(reserving: 64)
        body.byte(Recording.Kind.input.rawValue)
        body.whole64(time.nanoseconds)
        try body.input(input)
        return record(body.bytes)
    }

    package mutating func result(_ result: Recording.Result) -> [UInt8] {
        var body = ByteWriter(reserving: 16 + result.outputs.count * 9)
        body.byte(Recording.Kind.result.rawValue)
        body.list(result.answers) { $0.answer($1) }
        body.list(result.outputs) { writer, mark in
            writer.byte(mark.kind.rawValue)
            writer.fixed64(mark.digest)
        }
        body.option(result.nextDeadline) { $0.whole64($1.nanoseconds) }
        return record(body.bytes)
    }

    package mutating func end(_ end: Recording.End) -> [UInt8] {
        record([Recording.Kind.end.rawValue, end.rawValue])
    }

    private mutating func record(_ body: [UInt8]) -> [UInt8] {
        check.add(body)
        var writer = ByteWriter(reserving: body.count + 16)
        writer.varint(UInt64(body.count))
        writer.raw(body)
        writer.fixed64(check.value)
        return writer.bytes
    }
}

extension ByteWriter {
    fileprivate mutating func answer(_ answer: Recording.SignerAnswer) {
        switch answer {
        case .signature(let over, let bytes):
            byte(0)
            digest(over)
            blob(bytes)
        case .verified(let question, let isValid):
            byte(1)
            digest(question)
            flag(isValid)
        case .identity(let key, let id):
            byte(2)
            blob(key)
            option(id) { $0.digest($1.digest) }
        }
    }

    // MARK: Parts that repeat

    mutating func whole64(_ value: Int64) { fixed64(UInt64(bitPattern: value)) }
    mutating func number(_ value: Int) { whole64(Int64(value)) }
    mutating func flag(_ value: Bool) { byte(value ? 1 : 0) }

    mutating func blob(_ bytes: [UInt8]) {
        varint(UInt64(bytes.count))
        raw(bytes)
    }

    mutating func text(_ text: String) { blob(Array(text.utf8)) }

    mutating func option<Value>(_ value: Value?, _ write: (inout ByteWriter, Value) -> Void) {
        flag(value != nil)
        if let value { write(&self, value) }
    }

    mutating func list<Value>(_ values: [Value], _ write: (inout ByteWriter, Value) -> Void) {
        varint(UInt64(values.count))
        for value in values { write(&self, value) }
    }

    mutating func address(_ address: PeerAddress) {
        text(address.host)
        number(address.port)
    }

    mutating func fields(_ fields: [HeaderField]) {
        list(fields) { writer, field in
            writer.text(field.name)
            writer.text(field.value)
        }
    }
}
