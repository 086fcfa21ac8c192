import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Whole small files: scenarios are read, plots are written.
enum TextFile {
    static func write(_ path: String, _ text: String) throws {
        guard let file = fopen(path, "w") else {
            throw ValidationError("\(path): \(String(cString: strerror(errno)))")
        }
        let bytes = Array(text.utf8)
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else { throw ValidationError("\(path) cannot be written") }
    }

    /// A text of 1 MiB at most.
    static func read(_ path: String) throws -> String {
        String(decoding: try bytes(path, limit: 1 << 20), as: UTF8.self)
    }

    static func bytes(_ path: String, limit: Int) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw ValidationError("\(path): \(String(cString: strerror(errno)))") }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = fread(&block, 1, block.count, file)
            guard count > 0 else { break }
            bytes += block[..<count]
            guard bytes.count <= limit else { throw ValidationError("\(path) is larger than \(limit) bytes") }
        }
        guard ferror(file) == 0 else { throw ValidationError("\(path) cannot be read") }
        return bytes
    }
}
