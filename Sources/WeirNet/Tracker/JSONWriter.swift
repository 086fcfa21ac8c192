/// Writes one flat kind of JSON: what trackers speak. Members come in the order they are written.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    init(reserving count: Int = 512) { bytes.reserveCapacity(count) }

    mutating func object(_ content: (inout JSONWriter) -> Void) {
        enclosed(UInt8(ascii: "{"), UInt8(ascii: "}"), content)
    }

    mutating func array(_ content: (inout JSONWriter) -> Void) {
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
    mutating func element() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    mutating func name(_ name: String) {
        element()
        string(name.unicodeScalars)
        bytes.append(UInt8(ascii: ":"))
    }

    mutating func member(_ name: String, _ value: String) {
        self.name(name)
        string(value.unicodeScalars)
    }

    mutating func member(_ name: String, _ value: some BinaryInteger) {
        self.name(name)
        bytes.append(contentsOf: "\(value)".utf8)
    }

    /// Bytes as the characters U+0000 to U+00FF, one each: how trackers carry hashes and ids.
    mutating func member(_ name: String, bytes value: [UInt8]) {
        self.name(name)
        string(value.lazy.map { Unicode.Scalar($0) })
    }

    /// A member's name made of bytes.
    mutating func name(bytes value: [UInt8]) {
        element()
        string(value.lazy.map { Unicode.Scalar($0) })
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func string(_ scalars: some Sequence<Unicode.Scalar>) {
        bytes.append(UInt8(ascii: "\""))
        for scalar in scalars { character(scalar) }
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
