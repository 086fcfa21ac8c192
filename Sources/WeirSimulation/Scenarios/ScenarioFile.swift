import WeirCore

/// A scenario as a file says it: one `key value` or timed event a line, `#` begins a comment.
///
/// ```
/// title A flash crowd
/// peers 30
/// at 60s join 570 over 10s
/// from 90s to 120s origin refused
/// ```
/// Keys are those of `ScenarioKey` (and `simulate`'s flags) beside `title`, `about`, `seeds` and `goal`. What is not
/// known is an error with its line.
package struct ScenarioFile: Sendable {
    /// What the run has to show; met or missed, it is printed.
    package enum Goal: Sendable, Equatable {
        /// At least this part of the bound on offload (T2).
        case offload(Double)
        /// The 95th percentile of the swarm holds a segment within this many times bound B5 (T6).
        case spread(Double)
        /// At most this part of the plain player's stalls on the same seeds (T5).
        case stalls(Double)
        /// At least this many times the offload of boxes that keep what came first for the least time (T4).
        case keeping(Double)
    }

    package var title = ""
    /// For people: why the scenario is there.
    package var about: [String] = []
    package var scenario = Scenario()
    /// How many seeds its table takes.
    package var seeds = 1
    package var goals: [Goal] = []

    package init() {}

    package init(parsing text: String) throws(ScenarioError) {
        for (place, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            do {
                try read(line)
            } catch {
                throw ScenarioError(line: place + 1, message: error.message)
            }
        }
        try check()
    }

    /// One line; empty ones and comments say nothing.
    package mutating func read(_ line: Substring) throws(ScenarioError) {
        let words = line.prefix { $0 != "#" }.split { $0 == " " || $0 == "\t" || $0 == "\r" }
        guard let key = words.first else { return }
        let rest = Array(words.dropFirst())
        guard !rest.isEmpty else { throw ScenarioError(line: nil, message: "'\(key)' needs a value") }
        let value = rest.joined(separator: " ")
        switch key {
        case "title": title = value
        case "about": about.append(value)
        case "seeds": seeds = max(1, try ScenarioText.count(Substring(value)))
        case "goal": goals.append(try ScenarioFile.goal(rest))
        case "at", "from": try ScenarioEvent.read(key, rest, into: &scenario)
        default: try set(String(key), value)
        }
    }

    /// Sets a key as a line or a flag of that name does.
    package mutating func set(_ name: String, _ value: String) throws(ScenarioError) {
        guard let key = ScenarioKey.all.first(where: { $0.name == name }) else {
            throw ScenarioError(line: nil, message: "unknown key '\(name)'")
        }
        try key.apply(&scenario, Substring(value))
    }

    /// What only shows when everything is read.
    package func check() throws(ScenarioError) {
        let named = scenario.script.compactMap(\.action.agent) + scenario.roles.map(\.agent)
        if let stranger = named.first(where: { $0 >= scenario.peers }) {
            throw ScenarioError(line: nil, message: "there is no agent \(stranger) at the start")
        }
        guard scenario.shares.reduce(scenario.freeRiders, { $0 + $1.share }) <= 1.000_001 else {
            throw ScenarioError(line: nil, message: "the shares of roles add up to more than everybody")
        }
        guard scenario.narrow.reduce(0, { $0 + $1.share }) <= 1.000_001 else {
            throw ScenarioError(line: nil, message: "the shares of narrow downlinks add up to more than everybody")
        }
        guard scenario.renditions.isEmpty || scenario.policy == .weir || scenario.policy == .plain else {
            throw ScenarioError(line: nil, message: "the baselines play one rendition only")
        }
        try checkRecordings()
    }

    private func checkRecordings() throws(ScenarioError) {
        guard let onDemand = scenario.onDemand else { return }
        guard scenario.renditions.isEmpty else {
            throw ScenarioError(line: nil, message: "viewers that begin when they like play one rendition only")
        }
        guard !scenario.isLive else { throw ScenarioError(line: nil, message: "recordings are not live") }
        guard onDemand.titleDuration >= scenario.segmentDuration else {
            throw ScenarioError(line: nil, message: "a title is shorter than a segment")
        }
        if let stay = onDemand.meanReach, stay <= .zero {
            throw ScenarioError(line: nil, message: "nobody stays for half of the title")
        }
    }

    private static func goal(_ words: [Substring]) throws(ScenarioError) -> Goal {
        guard words.count == 2 else { throw ScenarioError(line: nil, message: "a goal is a name and a number") }
        switch words[0] {
        case "offload": return .offload(try ScenarioText.share(words[1]))
        case "spread": return .spread(try ScenarioText.factor(words[1]))
        case "stalls": return .stalls(try ScenarioText.factor(words[1]))
        case "keeping": return .keeping(try ScenarioText.factor(words[1]))
        default: throw ScenarioText.wrong(words[0], "offload, spread, stalls or keeping")
        }
    }
}
