import FoundationEssentials

/// Reads `Fixtures/wire/NAME.hex`.
func wireFixture(_ name: String, file: String = #filePath) throws -> [UInt8] {
    var parts = file.split(separator: "/", omittingEmptySubsequences: false)
    parts.removeLast(4)
    let path = parts.joined(separator: "/") + "/Fixtures/wire/\(name).hex"
    let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    return text.split(separator: "\n").flatMap { line in
        line.split(separator: "#", omittingEmptySubsequences: false)[0].split(separator: " ")
            .compactMap { UInt8($0, radix: 16) }
    }
}
