package import WeirCore

/// What is to be recorded.
package struct CaptureRequest: Sendable {
    package var url: String
    /// The stream's swarm, where it has a name of its own.
    package var swarm: String?
    /// The file. One that an earlier recording of the stream was cut off in goes on.
    package var path: String
    package var format: ContinuousFormat
    /// When to begin; nil: now.
    package var begin: WallTime?
    /// Nil: to the stream's end.
    package var length: Duration?

    /// - Returns: nil when the file's name does not tell a container that weir writes.
    package init?(url: String, path: String) {
        let words = path.split(separator: "/").last?.split(separator: ".", omittingEmptySubsequences: false) ?? []
        guard words.count > 1, let suffix = words.last,
            let format = ContinuousFormat(rawValue: suffix.lowercased())
        else { return nil }
        self.url = url
        self.path = path
        self.format = format
    }

    /// When it ends by the clock.
    package var end: WallTime? {
        guard let begin, let length else { return nil }
        return begin + length
    }
}

/// A recording, as `GET /v1/recordings` lists it.
// The names are the JSON's, which is what users see.
// swift-format-ignore: AlwaysUseLowerCamelCase
package struct CaptureReport: Sendable, Encodable, Equatable {
    package enum State: String, Sendable, Encodable {
        case scheduled, opening, recording
        /// Something failed and is tried again.
        case waiting
        case complete
        /// The disk is as full as it may be.
        case full
        case failed, stopped

        /// Nothing more comes.
        package var isOver: Bool {
            switch self {
            case .scheduled, .opening, .recording, .waiting: false
            case .complete, .full, .failed, .stopped: true
            }
        }
    }

    package struct Gap: Sendable, Encodable, Equatable {
        /// In the file.
        package var at_seconds: Double
        /// Left out where nobody can tell.
        package var missing_seconds: Double?
    }

    package var id: String
    /// Without query: tokens stay out of reports.
    package var url: String
    package var file: String
    package var state: State
    /// Why it is in that state; empty when there is nothing to explain.
    package var reason = ""
    package var bytes: Int64 = 0
    package var seconds = 0.0
    package var gaps: [Gap] = []
    /// Workers that were replaced.
    package var restarts = 0

    /// One line for people.
    package var summary: String {
        let gaps = gaps.isEmpty ? "" : ", \(gaps.count) gaps"
        let figures = "\(Int(seconds)) s, \(bytes / 1_000_000) MB\(gaps)"
        return "\(file): \(state.rawValue)\(reason.isEmpty ? "" : " (\(reason))"), \(figures)"
    }

    package var isOver: Bool { state.isOver }
}
