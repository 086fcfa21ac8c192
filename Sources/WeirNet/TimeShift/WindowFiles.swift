import Crypto
import Dispatch
package import NIOCore
import Synchronization
package import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where the time shift window's files lie.
package struct WindowPlace: Sendable {
    package var directory: String
    /// Bytes of the disk that are left free.
    package var floorBytes: Int

    package init(directory: String, floorBytes: Int) {
        self.directory = directory
        self.floorBytes = floorBytes
    }
}

/// The time shift window's files: written, checked and read on a queue of their own, so that a slow disk holds nobody up.
///
/// They lie in a folder of their own, which is one agent's alone, and outlive no agent: what one that was killed left
/// behind is removed when the next one begins. So nothing has to reach the disk before anything else.
package final class WindowFiles: Sendable {
    /// Within the directory that the user names.
    package static let folder = "weir-window"
    private static let suffix = ".segment"

    /// What a file has to be.
    private struct Written {
        var digest: [UInt8]
        var evidence: Int
        var media: Int
        /// Its parts: what is known, then the chunks.
        var parts: [Int] {
            let whole = media / Chunk.byteCount
            let last = media % Chunk.byteCount
            return [evidence] + Array(repeating: Chunk.byteCount, count: whole) + (last > 0 ? [last] : [])
        }
    }

    private struct State {
        /// Holds the lock; nil while the folder cannot be used.
        var lock: Int32?
        var files: [DiskFileID: Written] = [:]
    }

    private let path: String
    private let floorBytes: Int
    private let loop: any EventLoop
    private let deliver: @Sendable (Input) -> Void
    /// Of the queue alone.
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "weir.window", qos: .utility)

    /// - Parameter deliver: called on the loop.
    package init(_ place: WindowPlace, loop: any EventLoop, deliver: @escaping @Sendable (Input) -> Void) {
        path = place.directory + "/" + WindowFiles.folder
        floorBytes = place.floorBytes
        self.loop = loop
        self.deliver = deliver
        queue.async { [self] in
            state.withLock { state in
                if let failure = open(&state) { answer(.unusable(failure)) }
            }
        }
    }

    package func perform(_ order: DiskOrder) {
        queue.async { [self] in
            state.withLock { state in
                switch order {
                case .write(let id, let chunks, let evidence):
                    let failure = write(id, chunks, evidence, &state)
                    answer(failure.map { .notWritten(id, $0) } ?? .written(id))
                case .read(let id): answer(read(id, &state))
                case .remove(let id):
                    state.files[id] = nil
                    unlink(name(id))
                }
            }
        }
    }

    /// Removes everything, and leaves the folder to others.
    package func shutDown() -> EventLoopFuture<Void> {
        let promise = loop.makePromise(of: Void.self)
        queue.async { [self] in
            state.withLock { state in
                guard let lock = state.lock else { return }
                for id in state.files.keys { unlink(name(id)) }
                unlink(path + "/lock")
                close(lock)
                rmdir(path)
                state = State()
            }
            promise.succeed()
        }
        return promise.futureResult
    }

    private func answer(_ answer: DiskAnswer) { loop.execute { [deliver] in deliver(.disk(answer)) } }

    private func name(_ id: DiskFileID) -> String { "\(path)/\(id.value)\(WindowFiles.suffix)" }

    // MARK: The folder

    /// Takes the folder, and removes what an agent that is not there any more left in it.
    private func open(_ state: inout State) -> DiskFailure? {
        guard state.lock == nil else { return nil }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { return failure("cannot make \(path)") }
        let lock = openFile(path + "/lock", O_RDWR | O_CREAT)
        guard lock >= 0 else { return failure("cannot write in \(path)") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            return .failed("another agent uses \(path)")
        }
        guard let folder = opendir(path) else {
            close(lock)
            return failure("cannot read \(path)")
        }
        defer { closedir(folder) }
        var left: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(WindowFiles.suffix) { left.append(name) }
        }
        for name in left { unlink("\(path)/\(name)") }
        state.lock = lock
        return nil
    }

    private func failure(_ what: String) -> DiskFailure {
        errno == ENOSPC || errno == EDQUOT ? .full : .failed("\(what): \(String(cString: strerror(errno)))")
    }

    // MARK: Writing

    private func write(
        _ id: DiskFileID,
        _ chunks: [any Payload],
        _ evidence: [UInt8],
        _ state: inout State
    ) -> DiskFailure? {
        if let failure = open(&state) { return failure }
        let media = chunks.reduce(0) { $0 + $1.count }
        guard let lock = state.lock, hasRoom(lock, for: evidence.count + media) else { return .full }
        let descriptor = openFile(name(id), O_WRONLY | O_CREAT | O_TRUNC)
        guard descriptor >= 0 else { return failure("cannot make a file in \(path)") }
        defer { close(descriptor) }
        var hasher = SHA256()
        var parts = [ByteBuffer(bytes: evidence)]
        parts += chunks.map { $0.asBuffer }
        for part in parts {
            let isWritten = part.withUnsafeReadableBytes { bytes in
                hasher.update(bufferPointer: bytes)
                return writeAll(descriptor, bytes)
            }
            guard isWritten else {
                let failure = failure("cannot write in \(path)")
                unlink(name(id))
                return failure
            }
        }
        state.files[id] = Written(
            digest: Array(hasher.finalize()),
            evidence: evidence.count,
            media: media
        )
        return nil
    }

    private func hasRoom(_ descriptor: Int32, for bytes: Int) -> Bool {
        var information = statvfs()
        guard fstatvfs(descriptor, &information) == 0 else { return true }
        let free = UInt64(information.f_frsize).multipliedReportingOverflow(by: UInt64(information.f_bavail))
        return free.overflow || free.partialValue >= UInt64(clamping: floorBytes) + UInt64(bytes)
    }

    // MARK: Reading

    private func read(_ id: DiskFileID, _ state: inout State) -> DiskAnswer {
        guard let written = state.files[id] else { return .unreadable(id, .failed("it was never written")) }
        let descriptor = openFile(name(id), O_RDONLY)
        guard descriptor >= 0 else { return .unreadable(id, failure("cannot read a file in \(path)")) }
        defer { close(descriptor) }
        var information = stat()
        guard fstat(descriptor, &information) == 0, Int(information.st_size) == written.evidence + written.media
        else {
            return .unreadable(id, .damaged)
        }
        var hasher = SHA256()
        // Each chunk has storage of its own: a buffer has a power of two of bytes, which one for all would waste.
        var parts: [ByteBuffer] = []
        for count in written.parts {
            var part = ByteBufferAllocator().buffer(capacity: count)
            guard readAll(descriptor, &part, count) else { return .unreadable(id, failure("cannot read in \(path)")) }
            part.withUnsafeReadableBytes { hasher.update(bufferPointer: $0) }
            parts.append(part)
        }
        guard Array(hasher.finalize()) == written.digest else { return .unreadable(id, .damaged) }
        let evidence = Array(parts.removeFirst().readableBytesView)
        return .read(id, chunks: parts.map { BufferPayload($0) }, evidence: evidence)
    }
}

private func openFile(_ path: String, _ flags: Int32) -> Int32 { open(path, flags | O_CLOEXEC, 0o600) }

private func writeAll(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        guard count > 0 || (count < 0 && errno == EINTR) else { return false }
        rest = rest.dropFirst(max(0, count))
    }
    return true
}

private func readAll(_ descriptor: Int32, _ buffer: inout ByteBuffer, _ count: Int) -> Bool {
    while buffer.readableBytes < count {
        let rest = count - buffer.readableBytes
        let taken = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) { room in
            max(0, read(descriptor, room.baseAddress, min(room.count, rest)))
        }
        guard taken > 0 else { return false }
    }
    return true
}
