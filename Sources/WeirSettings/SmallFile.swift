#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Whole files of at most a mebibyte: configuration, keys, tokens.
package enum SmallFile {
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
        package var notFound = false

        fileprivate static func system(_ code: Int32) -> Failure {
            Failure(description: String(cString: strerror(code)), notFound: code == ENOENT)
        }
    }

    package static let byteLimit = 1 << 20

    package static func read(_ path: String) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = Platform.read(descriptor, &block, block.count)
            guard count >= 0 else { throw .system(errno) }
            if count == 0 { return bytes }
            bytes += block[..<count]
            if bytes.count > byteLimit { throw Failure(description: "it is larger than 1 MiB") }
        }
    }

    /// Writes a new file that only its owner can read. An existing one is left alone and is an error.
    package static func createPrivate(_ path: String, _ bytes: [UInt8]) throws(Failure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(errno) }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw .system(errno) }
            rest = rest.dropFirst(count)
        }
    }
}

/// The C library's `read`, which a static method of that name would hide.
private enum Platform {
    static func read(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(descriptor, buffer, count)
        #else
            Musl.read(descriptor, buffer, count)
        #endif
    }
}
