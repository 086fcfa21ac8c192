/// A point of the calendar: nanoseconds since 1970-01-01T00:00:00Z, within the 292 years around it.
///
/// Only live DASH manifests and logs speak of it; everything that is timed goes by `Instant`.
package struct WallTime: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    package init(milliseconds: Int64) {
        nanoseconds = milliseconds.multipliedSaturating(by: 1_000_000)
    }

    package static let epoch = WallTime(nanoseconds: 0)

    package static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

    package static func + (left: Self, right: Duration) -> WallTime {
        WallTime(nanoseconds: left.nanoseconds.addedSaturating(to: right.nanoseconds))
    }

    package static func - (left: Self, right: Duration) -> WallTime {
        WallTime(nanoseconds: left.nanoseconds.subtractedSaturating(right.nanoseconds))
    }

    package static func - (left: Self, right: Self) -> Duration {
        Duration(nanoseconds: left.nanoseconds.subtractedSaturating(right.nanoseconds))
    }
}

extension WallTime {
    /// An `xs:dateTime` (XML Schema part 2, 3.2.7): `2026-11-21T09:30:00.5Z`. Without a zone it counts as UTC, as the
    /// DASH clients do. Nil when it is none; what lies beyond 292 years saturates.
    package init?(dateTime text: some StringProtocol) {
        var scan = DigitScan(text)
        guard let year = scan.number(digits: 4...9), scan.skip(ASCII.minus),
            let month = scan.number(digits: 2...2), scan.skip(ASCII.minus), let day = scan.number(digits: 2...2),
            scan.skip(0x54), let hour = scan.number(digits: 2...2), scan.skip(ASCII.colon),
            let minute = scan.number(digits: 2...2), scan.skip(ASCII.colon), let second = scan.number(digits: 2...2)
        else { return nil }
        let fraction = scan.fraction()
        guard let offset = scan.zone(), scan.isAtEnd,
            let seconds = WallTime.seconds(year, month, day, hour, minute, second)
        else { return nil }
        self.init(
            nanoseconds: (seconds - offset * 60).multipliedSaturating(by: 1_000_000_000).addedSaturating(to: fraction)
        )
    }

    /// An HTTP date (RFC 9110 5.6.7), in the form that servers must send: `Sun, 06 Nov 1994 08:49:37 GMT`.
    package init?(httpDate text: some StringProtocol) {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), let year = Int64(parts[3]),
            let month = WallTime.months.firstIndex(of: String(parts[2]))
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3,
            let seconds = WallTime.seconds(year, Int64(month + 1), day, clock[0], clock[1], clock[2])
        else { return nil }
        self.init(nanoseconds: seconds.multipliedSaturating(by: 1_000_000_000))
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Since 1970, of a date of the Gregorian calendar. Nil when there is no such moment; a leap second counts as the
    /// next second, and 24:00:00 as the next day.
    private static func seconds(
        _ year: Int64,
        _ month: Int64,
        _ day: Int64,
        _ hour: Int64,
        _ minute: Int64,
        _ second: Int64
    ) -> Int64? {
        guard (1...12).contains(month), (1...31).contains(day), (0...24).contains(hour), (0...59).contains(minute),
            (0...60).contains(second), (0...999_999_999).contains(year)
        else { return nil }
        // Years begin in March, so that the leap day is the last: days before month m are (153 m + 2) / 5.
        let shifted = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let century = shifted / 100
        let days = 365 * shifted + shifted / 4 - century + century / 4 + dayOfYear - 719_468
        return days * 86_400 + hour * 3600 + minute * 60 + second
    }
}

extension Duration {
    /// An `xs:duration` (XML Schema part 2, 3.2.6): `P1DT2H3M4.5S`. A year counts as 365 days and a month as 30, as in
    /// manifests neither means anything. A negative one counts as zero, a huge one saturates. Nil when it is none.
    package init?(xmlDuration text: some StringProtocol) {
        var scan = DigitScan(text)
        let isNegative = scan.skip(ASCII.minus)
        guard scan.skip(0x50), !scan.isAtEnd else { return nil }
        var total: Int64 = 0
        var isTime = false
        while !scan.isAtEnd {
            if !isTime, scan.skip(0x54) {
                isTime = true
                guard !scan.isAtEnd else { return nil }
            }
            guard let count = scan.number(digits: 1...30) else { return nil }
            let fraction = scan.fraction()
            guard let unit = scan.byte(), let seconds = Duration.seconds(ofUnit: unit, isTime: isTime) else {
                return nil
            }
            guard fraction == 0 || unit == 0x53 else { return nil }
            let part = count.multipliedSaturating(by: seconds).multipliedSaturating(by: 1_000_000_000)
            total = total.addedSaturating(to: part).addedSaturating(to: fraction)
        }
        self.init(nanoseconds: isNegative ? 0 : total)
    }

    private static func seconds(ofUnit unit: UInt8, isTime: Bool) -> Int64? {
        switch (unit, isTime) {
        case (0x59, false): 365 * 86_400
        case (0x4D, false): 30 * 86_400
        case (0x57, false): 7 * 86_400
        case (0x44, false): 86_400
        case (0x48, true): 3600
        case (0x4D, true): 60
        case (0x53, true): 1
        default: nil
        }
    }
}

/// Reads numbers and single characters from the front of a text.
private struct DigitScan {
    private let bytes: ArraySlice<UInt8>
    private var index: Int

    init(_ text: some StringProtocol) {
        // White space at the ends does not count (`whiteSpace="collapse"`).
        let all = Array(text.utf8)
        let first = all.firstIndex { !$0.isXMLBlank } ?? all.endIndex
        let last = all.lastIndex { !$0.isXMLBlank }.map { $0 + 1 } ?? first
        bytes = all[first..<last]
        index = first
    }

    var isAtEnd: Bool { index >= bytes.endIndex }

    mutating func byte() -> UInt8? {
        guard !isAtEnd else { return nil }
        index += 1
        return bytes[index - 1]
    }

    mutating func skip(_ byte: UInt8) -> Bool {
        guard !isAtEnd, bytes[index] == byte else { return false }
        index += 1
        return true
    }

    /// Saturates.
    mutating func number(digits: ClosedRange<Int>) -> Int64? {
        var value: Int64 = 0
        var count = 0
        while !isAtEnd, bytes[index].isASCIIDigit, count < digits.upperBound {
            value = value.multipliedSaturating(by: 10).addedSaturating(to: Int64(bytes[index] - ASCII.zero))
            index += 1
            count += 1
        }
        return count >= digits.lowerBound ? value : nil
    }

    /// Nanoseconds behind a dot; 0 when there is none.
    mutating func fraction() -> Int64 {
        guard skip(ASCII.dot) else { return 0 }
        var value: Int64 = 0
        var unit: Int64 = 100_000_000
        while !isAtEnd, bytes[index].isASCIIDigit {
            value += Int64(bytes[index] - ASCII.zero) * unit
            unit /= 10
            index += 1
        }
        return value
    }

    /// Minutes east of Greenwich; none means none.
    mutating func zone() -> Int64? {
        if isAtEnd || skip(0x5A) { return 0 }
        let isWest = !isAtEnd && bytes[index] == ASCII.minus
        guard skip(ASCII.plus) || skip(ASCII.minus), let hours = number(digits: 2...2) else { return nil }
        // Packagers write +0000 as well, ffmpeg among them.
        _ = isAtEnd || skip(ASCII.colon)
        guard let minutes = number(digits: 2...2) else { return nil }
        return (isWest ? -1 : 1) * (hours * 60 + minutes)
    }
}
