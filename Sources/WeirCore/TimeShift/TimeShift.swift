/// A time in a live stream's past, as `?at=` asks for it.
package enum TimeShift: Hashable, Sendable {
    /// `-600`: so long before the live edge; of a stream that is over, before its end.
    case beforeLive(Duration)
    /// `2026-01-01T20:00:00Z`: by the origin's clock, or this machine's where the origin tells none.
    case date(WallTime)

    /// Nil when it is neither.
    package init?(_ text: String) {
        if let date = WallTime(dateTime: text) {
            self = .date(date)
            return
        }
        let bytes = Array(text.utf8)
        let digits = bytes.first == ASCII.minus ? bytes[1...] : bytes[...]
        guard digits.allSatisfy({ $0.isASCIIDigit || $0 == ASCII.dot }) else { return nil }
        guard let back = DecimalText.duration(digits), back == .zero || bytes.first == ASCII.minus else { return nil }
        self = .beforeLive(back)
    }

    package var text: String {
        switch self {
        case .beforeLive(let back): "-\(DecimalSeconds.text(back))"
        case .date(let date): date.dateTime
        }
    }

    /// What the query of a request for a window says.
    package struct Query: Hashable, Sendable {
        package var at: TimeShift?
        /// All up to the live edge, for who reads as fast as it likes.
        package var isCatchUp = false
        /// Of a rendition's list: its first segment, where in it to begin, and how late it is told.
        var first: UInt64?
        var offset: Duration?
        var delay: Duration?

        /// Nil when it cannot be understood.
        package init?(target: String) {
            guard let question = target.firstIndex(of: "?") else { return }
            for parameter in target[target.index(after: question)...].split(separator: "&") {
                let parts = parameter.split(separator: "=", maxSplits: 1)
                let name = parts.first ?? ""
                let text = parts.count > 1 ? PercentEncoding.decode(parts[1]) ?? "" : ""
                let bytes = Array(text.utf8)[...]
                switch name {
                case "at":
                    guard let at = TimeShift(text) else { return nil }
                    self.at = at
                case "catchup": isCatchUp = text != "0"
                case "first": first = DecimalText.integer(bytes)
                case "offset": offset = DecimalText.duration(bytes)
                case "delay": delay = DecimalText.duration(bytes)
                default: break
                }
            }
        }
    }
}

/// Seconds with six places behind the dot, as playlists write them.
enum DecimalSeconds {
    static func text(_ duration: Duration) -> String {
        let microseconds = duration.orZero.nanoseconds / 1000
        let fraction = String(microseconds % 1_000_000)
        return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.utf8.count) + fraction
    }
}

extension WallTime {
    /// As EXT-X-PROGRAM-DATE-TIME is written: UTC, in milliseconds.
    package var dateTime: String {
        let milliseconds = nanoseconds.flooringDivision(by: 1_000_000)
        let days = milliseconds.flooringDivision(by: 86_400_000)
        let ofDay = milliseconds - days * 86_400_000
        // Years begin in March, so that the leap day is the last; eras have 400 years.
        let shifted = days + 719_468
        let era = shifted.flooringDivision(by: 146_097)
        let ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * ofYear + 2) / 153
        let day = ofYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let clock = [ofDay / 3_600_000, ofDay / 60_000 % 60, ofDay / 1000 % 60].map { WallTime.padded($0, 2) }
        return "\(WallTime.padded(year, 4))-\(WallTime.padded(month, 2))-\(WallTime.padded(day, 2))T"
            + clock.joined(separator: ":") + ".\(WallTime.padded(ofDay % 1000, 3))Z"
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

extension Int64 {
    /// Rounds towards minus infinity.
    fileprivate func flooringDivision(by divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
