/// The `Date` field (RFC 9110 5.6.7, IMF-fixdate).
struct HTTPDate {
    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private var second: Int64 = -1
    private var text = ""

    init() {}

    /// Formats once a second, however often it is asked.
    mutating func text(at unixSeconds: Int64) -> String {
        if unixSeconds != second {
            second = unixSeconds
            text = Self.format(unixSeconds)
        }
        return text
    }

    /// - Parameter unixSeconds: clamped to the years 1970 to 9999.
    static func format(_ unixSeconds: Int64) -> String {
        let unixSeconds = min(max(0, unixSeconds), 253_402_300_799)
        let day = Int(unixSeconds / 86_400)
        let rest = Int(unixSeconds % 86_400)
        let (year, month, dayOfMonth) = date(ofDay: day)
        let time = [rest / 3600, rest / 60 % 60, rest % 60].map(twoDigits).joined(separator: ":")
        return "\(days[day % 7]), \(twoDigits(dayOfMonth)) \(months[month - 1]) \(year) \(time) GMT"
    }

    private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// The Gregorian date of a day counted from 1970-01-01, counted in 400-year eras that begin in March.
    private static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
