/// Writes one flat kind of JSON: what trackers speak. Members come in the order they are written.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private var isFirst = true

    package init(reserving count: Int = 512) { bytes.reserveCapacity(count) }

    /// Goes on after the members of an object that was written before.
    init(continuing head: ArraySlice<UInt8>, reserving count: Int) {
        bytes.reserveCapacity(head.count + count)
        bytes.append(contentsOf: head)
        isFirst = false
    }

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

    /// A string of hexadecimal digits, without leading zeros.
    package mutating func hexadecimal(_ value: UInt64) {
        bytes.append(UInt8(ascii: "\""))
        let digits = max(1, (67 - value.leadingZeroBitCount) / 4)
        for place in stride(from: 4 * (digits - 1), through: 0, by: -4) { digit(UInt8(value >> UInt64(place) & 15)) }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func digit(_ value: UInt8) {
        bytes.append(value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10)
    }

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
            for byte in value { character(byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func character(_ scalar: Unicode.Scalar) {
        if scalar.value < 0x100 { return character(UInt8(scalar.value)) }
        bytes.append(contentsOf: UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter)
    }

    /// One of the characters U+0000 to U+00FF.
    private mutating func character(_ byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): escape(byte)
        case UInt8(ascii: "\n"): escape(UInt8(ascii: "n"))
        case UInt8(ascii: "\r"): escape(UInt8(ascii: "r"))
        case UInt8(ascii: "\t"): escape(UInt8(ascii: "t"))
        case 0..<0x20:
            bytes.append(contentsOf: #"\u00"#.utf8)
            digit(byte >> 4)
            digit(byte & 15)
        case 0x80...0xFF:
            bytes.append(0xC0 | byte >> 6)
            bytes.append(0x80 | byte & 0x3F)
        default: bytes.append(byte)
        }
    }

    private mutating func escape(_ character: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(character)
    }
}
