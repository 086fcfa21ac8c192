import WeirCore

/// The timed lines of a scenario file.
///
/// ```
/// at TIME kill|vanish|stop AGENT
/// at TIME join COUNT [over TIME]
/// at TIME leave SHARE [over TIME]
/// from TIME to TIME origin silent|refused|stalled|wrong|status CODE|rate RATE
/// from TIME to TIME swing LEAST-MOST every TIME
/// from TIME to TIME tracker away
/// from TIME to TIME measure NAME
/// ```
enum ScenarioEvent {
    static func read(_ key: Substring, _ words: [Substring], into scenario: inout Scenario) throws(ScenarioError) {
        if key == "at" {
            try moment(words, into: &scenario)
        } else {
            try interval(words, into: &scenario)
        }
    }

    private static func moment(_ words: [Substring], into scenario: inout Scenario) throws(ScenarioError) {
        guard words.count == 3 || words.count == 5 && words[3] == "over" else {
            throw ScenarioError(line: nil, message: "an event is 'at TIME WHAT WHOM', with 'over TIME' for many")
        }
        let time = Instant.start + (try ScenarioText.duration(words[0]))
        let span = words.count == 5 ? try ScenarioText.duration(words[4]) : .zero
        let action: Scenario.Action
        switch words[1] {
        case "kill": action = .kill(agent: try ScenarioText.count(words[2]))
        case "vanish": action = .vanish(agent: try ScenarioText.count(words[2]))
        case "stop": action = .stop(agent: try ScenarioText.count(words[2]))
        case "join": action = .join(count: try ScenarioText.count(words[2]), over: span)
        case "leave": action = .leave(share: try ScenarioText.share(words[2]), over: span)
        default: throw ScenarioText.wrong(words[1], "kill, vanish, stop, join or leave")
        }
        if action.agent != nil, words.count == 5 {
            throw ScenarioError(line: nil, message: "one agent goes at once: no 'over'")
        }
        scenario.script.append((time, action))
    }

    private static func interval(_ words: [Substring], into scenario: inout Scenario) throws(ScenarioError) {
        guard words.count >= 5, words[1] == "to" else {
            throw ScenarioError(line: nil, message: "an interval is 'from TIME to TIME WHAT HOW'")
        }
        let (from, until) = (try ScenarioText.duration(words[0]), try ScenarioText.duration(words[2]))
        guard from < until else { throw ScenarioText.wrong(words[2], "later than \(words[0])") }
        let details = Array(words[4...])
        switch words[3] {
        case "origin":
            scenario.faults.append(OriginFault(try fault(details), from: .start + from, until: .start + until))
        case "swing":
            guard details.count == 3, details[1] == "every" else {
                throw ScenarioError(line: nil, message: "a swing is 'swing LEAST-MOST every TIME'")
            }
            let factors = try ScenarioText.span(details[0], ScenarioText.factor)
            let step = try ScenarioText.duration(details[2])
            guard step > .zero, factors.least > 0 else { throw ScenarioText.wrong(details[0], "more than 0") }
            scenario.swings.append(
                Scenario.Swing(from: .start + from, until: .start + until, every: step, factors: factors)
            )
        case "tracker":
            guard details == ["away"] else { throw ScenarioText.wrong(details[0], "away") }
            scenario.tracker = scenario.tracker ?? TrackerModel()
            scenario.tracker?.outages.append(.init(from: .start + from, until: .start + until))
        case "measure":
            scenario.measures.append(
                MeasuredSpan.Wish(name: details.joined(separator: " "), from: .start + from, until: .start + until)
            )
        default: throw ScenarioText.wrong(words[3], "origin, swing, tracker or measure")
        }
    }

    private static func fault(_ words: [Substring]) throws(ScenarioError) -> OriginFault.Kind {
        switch (words[0], words.count) {
        case ("silent", 1): return .silent
        case ("refused", 1): return .refused
        case ("stalled", 1): return .stalledBodies
        case ("wrong", 1): return .wrongBytes
        case ("status", 2):
            let status = try ScenarioText.count(words[1])
            guard (400...599).contains(status) else { throw ScenarioText.wrong(words[1], "from 400 to 599") }
            return .status(status)
        case ("rate", 2):
            return .rate(try ScenarioText.positive(try ScenarioText.rate(words[1]), words[1]) / 8)
        default:
            throw ScenarioError(
                line: nil,
                message: "an origin's trouble is silent, refused, stalled, wrong, 'status CODE' or 'rate RATE'"
            )
        }
    }
}
