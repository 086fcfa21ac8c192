import WeirCore

/// What scenario files say of recordings that viewers begin when they like.
extension ScenarioKey {
    /// Each of these brings recordings with it.
    static let onDemand: [ScenarioKey] = [
        // Passing viewers: how often one begins, on average, and how long each is there.
        key("starts-every") { (onDemand, text) throws(ScenarioError) in
            let interval = try positive(text)
            onDemand.audience = .passing(perSecond: 1 / interval.seconds, stay: onDemand.stay ?? .seconds(600))
        },
        key("stays") { (onDemand, text) throws(ScenarioError) in
            onDemand.audience = .passing(perSecond: onDemand.startsPerSecond ?? 1 / 60, stay: try positive(text))
        },
        // Boxes that stay: what each shows, and for how long nothing in between.
        key("screens") { (onDemand, text) throws(ScenarioError) in
            let screens = try ScenarioText.count(text)
            guard screens > 0 else { throw ScenarioText.wrong(text, "1 or more") }
            onDemand.audience = .resident(screens: screens, pause: onDemand.pause ?? OnDemand.usualPause)
        },
        key("pause") { (onDemand, text) throws(ScenarioError) in
            onDemand.audience = .resident(screens: onDemand.screens ?? 1, pause: try ScenarioText.duration(text))
        },
        key("titles") { (onDemand, text) throws(ScenarioError) in
            onDemand.titles = try ScenarioText.count(text)
            guard (1...100_000).contains(onDemand.titles) else { throw ScenarioText.wrong(text, "from 1 to 100000") }
        },
        key("skew") { (onDemand, text) throws(ScenarioError) in onDemand.skew = try ScenarioText.number(text) },
        key("title-length") { (onDemand, text) throws(ScenarioError) in
            onDemand.titleDuration = try positive(text)
        },
        key("seeks") { (onDemand, text) throws(ScenarioError) in onDemand.seeks = try ScenarioText.number(text) },
        key("broken-off") { (onDemand, text) throws(ScenarioError) in
            onDemand.brokenOff = try ScenarioText.share(text)
        },
        key("lifetime") { (onDemand, text) throws(ScenarioError) in
            onDemand.lifetime = try ScenarioText.duration(text)
        },
    ]

    private static func key(
        _ name: String,
        _ apply: @escaping @Sendable (inout OnDemand, Substring) throws(ScenarioError) -> Void
    ) -> ScenarioKey {
        ScenarioKey(name) { (scenario, text) throws(ScenarioError) in
            var onDemand = scenario.onDemand ?? OnDemand(.resident(screens: 1, pause: OnDemand.usualPause))
            try apply(&onDemand, text)
            scenario.onDemand = onDemand
            scenario.isLive = false
        }
    }

    private static func positive(_ text: Substring) throws(ScenarioError) -> Duration {
        let duration = try ScenarioText.duration(text)
        guard duration > .zero else { throw ScenarioText.wrong(text, "more than 0") }
        return duration
    }
}

extension OnDemand {
    fileprivate static let usualPause = Duration.seconds(20)

    fileprivate var stay: Duration? { if case .passing(_, let stay) = audience { stay } else { nil } }
    fileprivate var startsPerSecond: Double? { if case .passing(let rate, _) = audience { rate } else { nil } }
    fileprivate var pause: Duration? { if case .resident(_, let pause) = audience { pause } else { nil } }
    fileprivate var screens: Int? { if case .resident(let screens, _) = audience { screens } else { nil } }
}
