import Synchronization

/// What a lab origin answered, in its own words: the figure against which offload is measured.
package final class AccessLog: Sendable {
    package struct Entry: Sendable {
        /// Seconds since the origin started, when the answer ended.
        package var time: Double
        /// Seconds since the origin started, when the request was read: an answer may have been held since.
        package var begun: Double
        package var method: String
        package var path: String
        /// Behind the question mark.
        package var query: String?
        /// 0 when the connection ended before a status line.
        package var status: Int
        /// Body bytes that left for the kernel.
        package var bytes: Int64
        /// The Range header as received.
        package var range: String?
        /// Numbers connections from 0.
        package var connection: Int
    }

    private let stored = Mutex<[Entry]>([])
    private let started = ContinuousClock.now

    package init() {}

    package var entries: [Entry] { stored.withLock { $0 } }

    /// Seconds since the origin started.
    package var now: Double { (ContinuousClock.now - started).seconds }

    /// Body bytes of answers to paths that end like this, that ended at or after a time.
    package func payloadBytes(suffix: String = "", since time: Double = 0) -> Int64 {
        entries.reduce(0) { $0 + ($1.time >= time && $1.path.hasSuffix(suffix) ? $1.bytes : 0) }
    }

    /// Body bytes per path.
    package func bytesPerPath() -> [String: Int64] {
        entries.reduce(into: [:]) { $0[$1.path, default: 0] += $1.bytes }
    }

    func append(_ entry: Entry) {
        stored.withLock { $0.append(entry) }
    }
}
