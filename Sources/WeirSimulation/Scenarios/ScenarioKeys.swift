import WeirCore

/// What a scenario file's lines and `simulate`'s flags can set: one table for both.
package struct ScenarioKey: Sendable {
    package let name: String
    let apply: @Sendable (inout Scenario, Substring) throws(ScenarioError) -> Void

    init(
        _ name: String,
        _ apply: @escaping @Sendable (inout Scenario, Substring) throws(ScenarioError) -> Void
    ) {
        self.name = name
        self.apply = apply
    }

    private static func duration(
        _ name: String,
        _ path: any WritableKeyPath<Scenario, Duration> & Sendable
    ) -> ScenarioKey {
        ScenarioKey(name) { (scenario, text) throws(ScenarioError) in
            scenario[keyPath: path] = try ScenarioText.duration(text)
        }
    }

    private static func rate(_ name: String, _ path: any WritableKeyPath<Scenario, Double> & Sendable) -> ScenarioKey {
        ScenarioKey(name) { (scenario, text) throws(ScenarioError) in
            scenario[keyPath: path] = try ScenarioText.positive(try ScenarioText.rate(text), text)
        }
    }

    private static func share(_ name: String, _ path: any WritableKeyPath<Scenario, Double> & Sendable) -> ScenarioKey {
        ScenarioKey(name) { (scenario, text) throws(ScenarioError) in
            scenario[keyPath: path] = try ScenarioText.share(text)
        }
    }

    package static let all: [ScenarioKey] = audience + stream + network + policy + tracker + onDemand

    private static let audience: [ScenarioKey] = [
        ScenarioKey("peers") { (scenario, text) throws(ScenarioError) in
            scenario.peers = try ScenarioText.count(text)
            guard scenario.peers > 0 else { throw ScenarioText.wrong(text, "1 or more") }
        },
        duration("arrivals", \.arrivals),
        ScenarioKey("churn") { (scenario, text) throws(ScenarioError) in
            let mean = try ScenarioText.duration(text)
            scenario.churn = mean > .zero ? mean : nil
        },
        share("free-riders", \.freeRiders),
        share("unreachable", \.unreachable),
        ScenarioKey("share") { (scenario, text) throws(ScenarioError) in
            let words = text.split(separator: " ")
            guard words.count == 2 else { throw ScenarioText.wrong(text, "ROLE SHARE") }
            scenario.shares.append((try ScenarioText.role(words[0]), try ScenarioText.share(words[1])))
        },
        ScenarioKey("role") { (scenario, text) throws(ScenarioError) in
            let words = text.split(separator: " ")
            guard words.count == 2 else { throw ScenarioText.wrong(text, "AGENT ROLE") }
            scenario.roles.append((try ScenarioText.count(words[0]), try ScenarioText.role(words[1])))
        },
        ScenarioKey("links") { (scenario, text) throws(ScenarioError) in
            scenario.links = try ScenarioText.count(text)
        },
        ScenarioKey("behind") { (scenario, text) throws(ScenarioError) in
            scenario.behind = try ScenarioText.count(text)
        },
    ]

    private static let stream: [ScenarioKey] = [
        ScenarioKey("live") { (scenario, text) throws(ScenarioError) in
            scenario.isLive = try ScenarioText.flag(text)
        },
        duration("duration", \.duration),
        ScenarioKey("minutes") { (scenario, text) throws(ScenarioError) in
            scenario.duration = .seconds(try ScenarioText.positive(try ScenarioText.number(text), text) * 60)
        },
        duration("warm-up", \.warmUp),
        rate("bitrate", \.bitrate),
        ScenarioKey("renditions") { (scenario, text) throws(ScenarioError) in
            var rates: [Double] = []
            for part in text.split(separator: ",") {
                rates.append(try ScenarioText.positive(try ScenarioText.rate(part), part))
            }
            guard (2...16).contains(rates.count), rates == rates.sorted(), let most = rates.last else {
                throw ScenarioText.wrong(text, "two bitrates or more, the least first: 0.4,0.8,1.6")
            }
            scenario.renditions = rates
            scenario.bitrate = most
        },
        ScenarioKey("segment") { (scenario, text) throws(ScenarioError) in
            scenario.segmentDuration = try ScenarioText.duration(text)
            guard scenario.segmentDuration >= .milliseconds(100) else {
                throw ScenarioText.wrong(text, "0.1 s or more")
            }
        },
        ScenarioKey("window") { (scenario, text) throws(ScenarioError) in
            scenario.window = try ScenarioText.count(text)
            guard scenario.window > 0 else { throw ScenarioText.wrong(text, "1 or more") }
        },
        ScenarioKey("recorded") { (scenario, text) throws(ScenarioError) in
            scenario.recordedDuration = try ScenarioText.duration(text)
        },
        ScenarioKey("anchored") { (scenario, text) throws(ScenarioError) in
            scenario.isAnchored = try ScenarioText.flag(text)
        },
        ScenarioKey("split-editions") { (scenario, text) throws(ScenarioError) in
            scenario.isSplit = try ScenarioText.flag(text)
        },
    ]

    private static let network: [ScenarioKey] = [
        rate("uplink", \.uplink),
        ScenarioKey("agents-per-network") { (scenario, text) throws(ScenarioError) in
            scenario.agentsPerNetwork = try ScenarioText.count(text)
            guard (1...254).contains(scenario.agentsPerNetwork) else { throw ScenarioText.wrong(text, "from 1 to 254") }
        },
        ScenarioKey("agents-on-first-host") { (scenario, text) throws(ScenarioError) in
            scenario.agentsOnFirstHost = try ScenarioText.count(text)
            guard (1...32_768).contains(scenario.agentsOnFirstHost) else {
                throw ScenarioText.wrong(text, "from 1 to 32768")
            }
        },
        rate("downlink", \.downlink),
        ScenarioKey("narrow") { (scenario, text) throws(ScenarioError) in
            let words = text.split(separator: " ")
            guard words.count == 2 else { throw ScenarioText.wrong(text, "SHARE DOWNLINK") }
            let rate = try ScenarioText.positive(try ScenarioText.rate(words[1]), words[1])
            scenario.narrow.append((try ScenarioText.share(words[0]), rate))
        },
        rate("origin-rate", \.originRate),
        ScenarioKey("origin-rtt") { (scenario, text) throws(ScenarioError) in
            scenario.originRoundTrip = try milliseconds(text)
        },
        ScenarioKey("rtt") { (scenario, text) throws(ScenarioError) in
            scenario.roundTrips = try ScenarioText.span(text, milliseconds)
        },
    ]

    private static let policy: [ScenarioKey] = [
        ScenarioKey("policy") { (scenario, text) throws(ScenarioError) in
            guard let policy = Scenario.Policy(rawValue: String(text)) else {
                let names = Scenario.Policy.allCases.map(\.rawValue).joined(separator: ", ")
                throw ScenarioText.wrong(text, "one of \(names)")
            }
            scenario.policy = policy
        },
        ScenarioKey("seed") { (scenario, text) throws(ScenarioError) in
            guard let seed = UInt64(text) else { throw ScenarioText.wrong(text, "a whole number, 0 or more") }
            scenario.seed = seed
        },
        ScenarioKey("upload-limit") { (scenario, text) throws(ScenarioError) in
            scenario.settings.uploadBytesPerSecond = Int(try ScenarioText.rate(text) / 8)
        },
        ScenarioKey("cache") { (scenario, text) throws(ScenarioError) in
            scenario.settings.cacheBytes = Int(try ScenarioText.number(text) * 1024 * 1024)
        },
        ScenarioKey("integrity") { (scenario, text) throws(ScenarioError) in
            guard let level = IntegrityLevel(rawValue: String(text)) else {
                let names = IntegrityLevel.allCases.map(\.rawValue).joined(separator: ", ")
                throw ScenarioText.wrong(text, "one of \(names)")
            }
            scenario.settings.integrity = level
        },
        ScenarioKey("seed-time") { (scenario, text) throws(ScenarioError) in
            scenario.settings.seedTime = text == "forever" ? nil : try ScenarioText.duration(text)
        },
        ScenarioKey("high-demand") { (scenario, text) throws(ScenarioError) in
            scenario.highDemandWindow = try ScenarioText.duration(text)
        },
    ]

    /// Each of these brings a tracker with it.
    private static let tracker: [ScenarioKey] = [
        ScenarioKey("tracker") { (scenario, text) throws(ScenarioError) in
            scenario.tracker = try ScenarioText.flag(text) ? scenario.tracker ?? TrackerModel() : nil
        },
        ScenarioKey("announce-interval") { (scenario, text) throws(ScenarioError) in
            let interval = Int((try ScenarioText.duration(text)).seconds.rounded())
            guard interval > 0 else { throw ScenarioText.wrong(text, "1 s or more") }
            scenario.tracker = scenario.tracker ?? TrackerModel()
            scenario.tracker?.settings.intervalSeconds = interval
        },
        ScenarioKey("max-streams") { (scenario, text) throws(ScenarioError) in
            scenario.tracker = scenario.tracker ?? TrackerModel()
            scenario.tracker?.settings.maximumStreams = try ScenarioText.count(text)
        },
        ScenarioKey("dynamic-streaming-rate") { (scenario, text) throws(ScenarioError) in
            scenario.tracker = scenario.tracker ?? TrackerModel()
            scenario.tracker?.settings.dynamicStreamingRate = try ScenarioText.share(text)
        },
        ScenarioKey("full-search-rate") { (scenario, text) throws(ScenarioError) in
            scenario.tracker = scenario.tracker ?? TrackerModel()
            scenario.tracker?.settings.fullSearchRate = max(1, try ScenarioText.count(text))
        },
    ]

    /// Round trips are told in milliseconds.
    private static func milliseconds(_ text: Substring) throws(ScenarioError) -> Duration {
        Double(text) != nil
            ? .seconds(try ScenarioText.number(text) / 1000) : try ScenarioText.duration(text)
    }
}
