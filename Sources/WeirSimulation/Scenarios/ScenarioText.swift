import WeirCore

/// Why a scenario cannot be used: the line of the file, from 1, or nil for a flag.
package struct ScenarioError: Error, Equatable, CustomStringConvertible {
    package var line: Int?
    package var message: String

    package init(line: Int?, message: String) {
        self.line = line
        self.message = message
    }

    package var description: String { line.map { "line \($0): \(message)" } ?? message }
}

/// Quantities as people write them: `250ms`, `10min`, `2.5M`, `800k`, `30%`. A number alone has the key's own unit.
enum ScenarioText {
    static func count(_ text: Substring) throws(ScenarioError) -> Int {
        guard let value = Int(text), value >= 0 else { throw wrong(text, "a whole number, 0 or more") }
        return value
    }

    static func number(_ text: Substring) throws(ScenarioError) -> Double {
        guard let value = Double(text), value.isFinite, value >= 0 else { throw wrong(text, "a number, 0 or more") }
        return value
    }

    /// Between 0 and 1: `0.3` or `30%`.
    static func share(_ text: Substring) throws(ScenarioError) -> Double {
        let value = try factor(text)
        guard value <= 1 else { throw wrong(text, "a share from 0 to 1, or from 0% to 100%") }
        return value
    }

    /// `1.5` or `150%`.
    static func factor(_ text: Substring) throws(ScenarioError) -> Double {
        text.hasSuffix("%") ? try number(text.dropLast()) / 100 : try number(text)
    }

    /// Seconds, unless a unit says otherwise.
    static func duration(_ text: Substring) throws(ScenarioError) -> Duration {
        let units: [(suffix: String, seconds: Double)] = [("ms", 0.001), ("min", 60), ("s", 1), ("h", 3600)]
        for unit in units where text.hasSuffix(unit.suffix) {
            return .seconds(try number(text.dropLast(unit.suffix.count)) * unit.seconds)
        }
        return .seconds(try number(text))
    }

    /// Bits per second; a number alone counts millions.
    static func rate(_ text: Substring) throws(ScenarioError) -> Double {
        let units: [(suffix: String, factor: Double)] = [("k", 1e3), ("M", 1e6), ("G", 1e9)]
        for unit in units where text.hasSuffix(unit.suffix) {
            return try number(text.dropLast(unit.suffix.count)) * unit.factor
        }
        return try number(text) * 1e6
    }

    static func positive(_ value: Double, _ text: Substring) throws(ScenarioError) -> Double {
        guard value > 0 else { throw wrong(text, "more than 0") }
        return value
    }

    static func flag(_ text: Substring) throws(ScenarioError) -> Bool {
        switch text {
        case "yes", "true": return true
        case "no", "false": return false
        default: throw wrong(text, "yes or no")
        }
    }

    static func role(_ text: Substring) throws(ScenarioError) -> Scenario.Role {
        guard let role = Scenario.Role(rawValue: String(text)) else {
            let names = Scenario.Role.allCases.map(\.rawValue).joined(separator: ", ")
            throw wrong(text, "one of \(names)")
        }
        return role
    }

    /// `LEAST-MOST`, or one value for both.
    static func span<Value: Comparable>(
        _ text: Substring,
        _ read: (Substring) throws(ScenarioError) -> Value
    ) throws(ScenarioError) -> (least: Value, most: Value) {
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = ends.first, let last = ends.last, ends.count <= 2 else {
            throw wrong(text, "one value, or LEAST-MOST")
        }
        let (least, most) = (try read(first), try read(last))
        guard least <= most else { throw wrong(text, "the lesser value first") }
        return (least, most)
    }

    static func wrong(_ text: Substring, _ wanted: String) -> ScenarioError {
        ScenarioError(line: nil, message: "'\(text)' should be \(wanted)")
    }
}
