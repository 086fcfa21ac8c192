/// Writes one flat kind of JSON: what trackers speak. Members come in the order they are written.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private var isFirst = true

    package init(reserving count: Int = 512) { bytes.reserveCapacity(count) }

    package mutating func object(_ content: (inout JSONWriter) -> Void) {
        enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), content)
    }

    package mutating func array(_ content: (inout JSONWriter) -> Void) {
        enclosed(UInt8(ascii: "["), UInt8(ascii: "]"), content)
    }

    private mutating func enclosed(_ open: UInt8, _ close: UInt8, _ content: (inout JSONWriter) -> Void) {
        bytes.append(open)
        isFirst = true
        content(&self)
        bytes.append(close)
        isFirst = false
    }

    /// Separates an element of an array, or a member's name, from the one before.
    package mutating func element() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    /// - Parameter name: of ASCII without quotes and backslashes.
    package mutating func name(_ name: StaticString) {
        element()
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    package mutating func member(_ name: StaticString, _ value: String) {
        self.name(name)
        string(value)
    }

    package mutating func member(_ name: StaticString, _ value: some BinaryInteger) {
        self.name(name)
        number(value)
    }

    package mutating func member(_ name: StaticString, _ value: Bool) {
        self.name(name)
        bytes.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    /// Bytes as the characters U+0000 to U+00FF, one each: how trackers carry hashes and ids.
    package mutating func member(_ name: StaticString, bytes value: [UInt8]) {
        self.name(name)
        string(bytes: value)
    }

    /// A member's name made of bytes.
    package mutating func name(bytes value: [UInt8]) {
        element()
        string(bytes: value)
        bytes.append(UInt8(ascii: ":"))
    }

    /// A value that is JSON already.
    package mutating func raw(_ value: ArraySlice<UInt8>) { bytes.append(contentsOf: value) }

    package mutating func number(_ value: some BinaryInteger) { bytes.append(contentsOf: "\(value)".utf8) }

    package mutating func string(_ value: String) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in value.unicodeScalars { character(scalar) }
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func string(bytes value: [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        if value.endOfPlainRun(from: 0) == value.count, !value.contains(where: { $0 >= 0x80 }) {
            bytes.append(contentsOf: value)
        } else {
            for byte in value { character(Unicode.Scalar(byte)) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func character(_ scalar: Unicode.Scalar) {
        switch scalar {
        case "\"": bytes.append(contentsOf: #"\""#.utf8)
        case "\\": bytes.append(contentsOf: #"\\"#.utf8)
        case "\n": bytes.append(contentsOf: #"\n"#.utf8)
        case "\r": bytes.append(contentsOf: #"\r"#.utf8)
        case "\t": bytes.append(contentsOf: #"\t"#.utf8)
        case "\u{0}"..."\u{1f}":
            bytes.append(contentsOf: scalar.value < 16 ? #"\u000"#.utf8 : #"\u00"#.utf8)
            bytes.append(contentsOf: String(scalar.value, radix: 16).utf8)
        default: bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
        }
    }
}
