/// A file of time shift windows. The core numbers them, and never again with a number that was used.
package struct DiskFileID: Hashable, Comparable, Sendable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// What the core wants done with the window's files. The shell does it in order, beside the event loop.
package enum DiskOrder: Sendable {
    /// A whole segment, chunk by chunk, with what is known of it in bytes of the core's own. Answered by `written` or
    /// `notWritten`.
    case write(DiskFileID, chunks: [any Payload], evidence: [UInt8])
    /// Answered by `read` or `unreadable`.
    case read(DiskFileID)
    /// Not answered.
    case remove(DiskFileID)
}

/// What the shell tells of the window's files.
package enum DiskAnswer: Sendable {
    case written(DiskFileID)
    /// There is no such file now.
    case notWritten(DiskFileID, DiskFailure)
    /// What was written, byte for byte: the shell has compared length and digest.
    case read(DiskFileID, chunks: [any Payload], evidence: [UInt8])
    case unreadable(DiskFileID, DiskFailure)
    /// The directory cannot be used, whatever is asked for.
    case unusable(DiskFailure)
}

package enum DiskFailure: Hashable, Sendable, CustomStringConvertible {
    /// There is no space left, or less than is to be left free.
    case full
    /// Other bytes than were written, or fewer.
    case damaged
    /// What the system says.
    case failed(String)

    package var description: String {
        switch self {
        case .full: "there is no space left, or less than recording_floor"
        case .damaged: "the file is not what was written"
        case .failed(let reason): reason
        }
    }
}
