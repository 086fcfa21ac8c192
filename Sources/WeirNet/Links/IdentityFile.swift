internal import Crypto
internal import FoundationEssentials
internal import Glibc
internal import WeirCore

/// Why an identity could not be read or kept; `description` is one line that says what to do.
package enum IdentityFileError: Error, Equatable, CustomStringConvertible {
    case unreadable(path: String, reason: String)
    case unwritable(path: String, reason: String)
    /// Somebody else may read it, so it proves nothing.
    case exposed(path: String)
    case notAKey(path: String)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason): "cannot read the identity \(path): \(reason)"
        case .unwritable(let path, let reason): "cannot write the identity \(path): \(reason)"
        case .exposed(let path): "the identity \(path) can be read by others: chmod 600 it, or delete it for a new one"
        case .notAKey(let path): "\(path) is no P-256 private key in PEM: delete it for a new identity"
        }
    }
}

extension Identity {
    /// The identity kept in a file (PKCS #8 in PEM, RFC 7468, mode 0600); made and saved there when there is none.
    package init(keptAt path: String) throws(IdentityFileError) {
        if let text = try Identity.read(path) {
            guard let key = try? P256.Signing.PrivateKey(pemRepresentation: text) else { throw .notAKey(path: path) }
            self.init(key: key)
            return
        }
        self.init()
        try save(to: path)
    }

    /// More than any PEM of such a key has.
    private static let largestFile = 16 * 1024

    /// - Returns: nil when there is no such file.
    private static func read(_ path: String) throws(IdentityFileError) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .unreadable(path: path, reason: reason())
        }
        defer { Glibc.close(descriptor) }
        // Not `fstat`: the C structure's module depends on what else is imported (CoreFoundation by way of NIO).
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        // A number here, and an object where all of Foundation is loaded; both print as digits.
        guard let value = attributes?[.posixPermissions], let permissions = Int("\(value)") else {
            throw .unreadable(path: path, reason: "its permissions cannot be told")
        }
        guard permissions & 0o077 == 0 else { throw .exposed(path: path) }
        var bytes = [UInt8](repeating: 0, count: largestFile)
        var filled = 0
        while filled < bytes.count {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled)
            }
            guard count >= 0 else { throw .unreadable(path: path, reason: reason()) }
            if count == 0 { break }
            filled += count
        }
        return String(decoding: bytes[..<filled], as: UTF8.self)
    }

    /// Written beside the place and moved there, so that a torn file is never found.
    private func save(to path: String) throws(IdentityFileError) {
        let draft = "\(path).\(getpid()).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .unwritable(path: path, reason: Identity.reason()) }
        let text = Array((key.pemRepresentation + "\n").utf8)
        let complete = text.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) } == text.count
        let kept = complete && fsync(descriptor) == 0
        let failure = Identity.reason()
        Glibc.close(descriptor)
        guard kept, rename(draft, path) == 0 else {
            unlink(draft)
            throw .unwritable(path: path, reason: kept ? Identity.reason() : failure)
        }
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
