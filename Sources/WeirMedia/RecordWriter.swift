import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The worker's standard output. Nobody there any more: the worker's work is over.
struct RecordWriter {
    struct Closed: Error {}

    /// The container alone, as a file has it.
    let isPlain: Bool

    func write(_ kind: RemuxRecord.Kind, _ bytes: [UInt8], time: Int64) throws(Closed) {
        if isPlain {
            switch kind {
            case .header, .block, .start: try write(bytes)
            case .damage, .fault, .end: break
            }
            return
        }
        var rest = bytes[...]
        var kind = kind
        // A record is bounded; what is longer goes on in the next one.
        repeat {
            let part = rest.prefix(RemuxRecord.mostBytes)
            rest = rest.dropFirst(part.count)
            try write(RemuxRecord(kind, count: part.count, time: time).head)
            try write(Array(part))
            if kind == .start { kind = .block }
        } while !rest.isEmpty
    }

    private func write(_ bytes: [UInt8]) throws(Closed) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                SystemCalls.write(UnsafeRawBufferPointer(rebasing: buffer[sent...]))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Closed() }
            sent += count
        }
    }
}

/// The C library's call, which a method of that name would hide.
private enum SystemCalls {
    static func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
        #else
            Musl.write(STDOUT_FILENO, bytes.baseAddress, bytes.count)
        #endif
    }
}
