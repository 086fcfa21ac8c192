import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a remux goes.
protocol RemuxSink {
    func write(_ kind: RemuxRecord.Kind, _ bytes: [UInt8], time: Int64) throws
    /// A point that could be gone on from, made when it is wanted.
    func mark(_ point: () -> CaptureJournal.Point?) throws
    /// Something is missing there.
    func note(_ gap: CaptureJournal.Gap)
}

/// The worker's standard output. Nobody there any more: the worker's work is over.
struct RecordWriter: RemuxSink {
    struct Closed: Error {}

    /// The container alone, as a file has it.
    let isPlain: Bool

    /// The whole work of a process that answers by its standard output. Who reads that is told why it cannot go on.
    /// - Returns: why; nil when the work is done, or nobody reads any more.
    static func answering(isPlain: Bool, _ work: (RecordWriter) throws -> Void) -> String? {
        MediaWorker.confine()
        let writer = RecordWriter(isPlain: isPlain)
        do {
            try work(writer)
            return nil
        } catch is Closed {
            return nil
        } catch {
            let text = "\(error)"
            try? writer.write(.fault, Array(text.utf8.prefix(512)), time: 0)
            return text
        }
    }

    func mark(_ point: () -> CaptureJournal.Point?) {}
    func note(_ gap: CaptureJournal.Gap) {}

    func write(_ kind: RemuxRecord.Kind, _ bytes: [UInt8], time: Int64) throws(Closed) {
        if isPlain {
            switch kind {
            case .header, .block, .start: try write(bytes)
            case .damage, .damagedSegment, .fault, .end, .journal: break
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
