#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where wall times and log lines go, so that standard output repeats.
enum StandardError {
    static func write(_ text: String) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let written = bytes.withUnsafeBytes { descriptorWrite($0) }
            guard written > 0 else { return }
            bytes = bytes.dropFirst(written)
        }
    }

    private static func descriptorWrite(_ buffer: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(2, buffer.baseAddress, buffer.count)
        #else
            Musl.write(2, buffer.baseAddress, buffer.count)
        #endif
    }
}
