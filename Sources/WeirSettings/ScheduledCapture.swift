package import WeirCore

/// A recording that the settings order: when, how long, into which file, and what.
package struct ScheduledCapture: Sendable, Equatable {
    static let expected =
        "a start, a length, a file (.ts, .flv, .mp4, .mkv) and a URL: 2026-12-24T20:00:00Z 2h news.mkv https://…"

    package var begin: WallTime
    package var length: Duration
    package var file: String
    package var url: String

    init?(_ text: String) {
        let words = text.split(separator: " ").map(String.init)
        guard words.count == 4, let begin = WallTime(dateTime: words[0]),
            let length = SettingSyntax.duration(words[1], atLeast: .seconds(1)),
            let suffix = words[2].split(separator: ".").last, words[2].contains("."),
            ContinuousFormat(rawValue: suffix.lowercased()) != nil,
            words[3].hasPrefix("http://") || words[3].hasPrefix("https://")
        else { return nil }
        self.begin = begin
        self.length = length
        file = words[2]
        url = words[3]
    }
}

/// A time as settings write it, for what is no setting.
package enum WrittenTime {
    /// - Returns: nil when it is none, or none between a second and a day.
    package static func read(_ text: String) -> Duration? { SettingSyntax.duration(text, atLeast: .seconds(1)) }
}
