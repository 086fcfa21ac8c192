#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The two standard streams, unbuffered: other programs read the first line of the one as soon as it is there.
enum Console {
    /// Standard output: results alone.
    static func print(_ line: String) { write(line + "\n", to: STDOUT_FILENO) }

    /// Standard output without a line end, for terminal control.
    static func show(_ text: String) { write(text, to: STDOUT_FILENO) }

    /// Standard error: everything else.
    static func note(_ line: String) { write(line + "\n", to: STDERR_FILENO) }

    static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    private static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { send($0, to: descriptor) }
            // A reader that went away is no reason to stop playing.
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    private static func send(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }
}
