import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The system's calls for files, as a recording needs them.
enum Disk {
    private static let lockAttempts = 50

    /// What the last call failed of.
    static var reason: String { String(cString: strerror(errno)) }

    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
        #if canImport(Glibc)
            Glibc.write(descriptor, bytes.baseAddress, bytes.count)
        #else
            Musl.write(descriptor, bytes.baseAddress, bytes.count)
        #endif
    }

    /// Has what was written reach the disk.
    /// - Returns: false when it did not; true as well where the file is of a kind that cannot tell.
    static func sync(_ descriptor: Int32) -> Bool {
        while fdatasync(descriptor) != 0 {
            guard errno == EINTR else { return errno == EINVAL || errno == ENOSYS }
        }
        return true
    }

    /// Bytes that may still be written; nil when the system does not say.
    static func free(_ descriptor: Int32) -> Int64? {
        var information = statvfs()
        guard fstatvfs(descriptor, &information) == 0 else { return nil }
        let size = UInt64(information.f_frsize).multipliedReportingOverflow(by: UInt64(information.f_bavail))
        return size.overflow ? nil : Int64(clamping: size.partialValue)
    }

    /// Takes a file for this process alone; waits five seconds for another one to leave it.
    static func lock(_ descriptor: Int32) -> Bool {
        for _ in 0..<lockAttempts {
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            WorkerClock.sleep(.milliseconds(100))
        }
        return false
    }

    /// Bytes of an open file, or fewer where it ends.
    static func bytes(at offset: Int, count: Int, of descriptor: Int32) throws(RemuxFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = pread(descriptor, &bytes, count, offset)
        guard read >= 0 else { throw RemuxFault("cannot read the file: \(reason)") }
        return Array(bytes.prefix(read))
    }

    /// A small file's text; nil when there is none.
    static func text(of path: String) throws(RemuxFault) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw RemuxFault("cannot read \(path): \(reason)") }
            return nil
        }
        defer { close(descriptor) }
        return String(decoding: try bytes(at: 0, count: CaptureJournal.mostBytes + 1, of: descriptor), as: UTF8.self)
    }

    /// Writes a small file so that there is always the old or the new one, whole.
    static func replace(_ path: String, with text: String) -> Bool {
        let new = path + ".new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return false }
        let bytes = Array(text.utf8)
        let isWritten = bytes.withUnsafeBytes { write(descriptor, $0) } == bytes.count && sync(descriptor)
        close(descriptor)
        return isWritten && rename(new, path) == 0
    }
}
