import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a recording goes: a file that grows up to a limit, written on a queue of its own so that a slow disk holds
/// nobody up.
package final class RecordingFile: Sendable {
    /// Why nothing is taken any more.
    package enum Refusal: Error { case full, slow, failed }

    /// Bytes that wait for the disk at most.
    private static let waitingBytes = 8 * 1024 * 1024

    private struct State {
        var taken = 0
        var waiting = 0
        var isBroken = false
    }

    private let descriptor: Int32
    private let limit: Int
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "weir.recording")

    /// Only its owner can read the file; an earlier one of that name is overwritten.
    ///
    /// - Parameter limit: bytes that it grows to.
    /// - Throws: `HostError.recording`.
    package init(path: String, limit: Int) throws(HostError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0, fchmod(descriptor, 0o600) == 0 else {
            throw .recording(file: path, reason: String(cString: strerror(errno)))
        }
        self.limit = limit
    }

    deinit { close(descriptor) }

    /// - Parameter isLast: whether it is the mark of the end, for which there is always room.
    package func append(_ bytes: [UInt8], isLast: Bool = false) throws(Refusal) {
        let refusal = state.withLock { state -> Refusal? in
            if state.isBroken { return .failed }
            if !isLast, state.taken + bytes.count > limit { return .full }
            if !isLast, state.waiting + bytes.count > RecordingFile.waitingBytes { return .slow }
            state.taken += bytes.count
            state.waiting += bytes.count
            return nil
        }
        if let refusal { throw refusal }
        queue.async { self.write(bytes) }
    }

    /// Returns when everything has been written.
    package func finish() { queue.sync {} }

    private func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { writeBytes(descriptor, $0) }
            guard count > 0 || errno == EINTR else { break }
            rest = rest.dropFirst(max(0, count))
        }
        state.withLock {
            $0.waiting -= bytes.count
            if !rest.isEmpty { $0.isBroken = true }
        }
    }
}

/// The C library's `write`, which a method of that name hides.
private func writeBytes(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
    write(descriptor, bytes.baseAddress, bytes.count)
}
