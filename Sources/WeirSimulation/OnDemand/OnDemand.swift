package import WeirCore

/// Recordings at one origin and an audience that watches them when it likes.
package struct OnDemand: Sendable {
    package enum Audience: Sendable, Equatable {
        /// Each agent watches once. They arrive as a Poisson process of so many a second, and each goes `stay` after it
        /// came, whether or not its viewer has seen the end.
        case passing(perSecond: Double, stay: Duration)
        /// Boxes that stay on and play one title after another, on so many screens each, `pause` on average in between.
        case resident(screens: Int, pause: Duration)
    }

    package var audience: Audience
    /// Recordings; the first is the most popular.
    package var titles = 1
    /// Zipf's exponent: title k is asked for in proportion to k^−skew; 0: all alike.
    package var skew = 0.0
    package var titleDuration = Duration.seconds(300)
    /// Jumps in a viewing, on average.
    package var seeks = 0.0
    /// Part of the viewings that are broken off, evenly anywhere.
    package var brokenOff = 0.0

    /// How long the boxes that are compared keep what they watched: first in, first out.
    package var lifetime = Duration.seconds(180)

    package init(_ audience: Audience) {
        self.audience = audience
    }

    package func segmentsPerTitle(of duration: Duration) -> Int {
        max(1, Int(titleDuration.seconds / duration.seconds))
    }

    /// How long, on average over a title, what a passing viewer fetched can be had from it: it is fetched as it is
    /// played, and gone when its agent goes.
    package var meanReach: Duration? {
        guard case .passing(_, let stay) = audience else { return nil }
        return stay - titleDuration * 0.5
    }

    /// Bound B3, averaged over the title's segments: a segment is with peers if anybody began within its reach before.
    package var catchUpBound: Double? {
        guard case .passing(let perSecond, let stay) = audience, titles == 1 else { return nil }
        let steps = 1000
        let sum = (0..<steps).reduce(0.0) { sum, step in
            let reach = stay.seconds - titleDuration.seconds * (Double(step) + 0.5) / Double(steps)
            return sum + 1 - Exponential.value(-perSecond * max(0, reach))
        }
        return sum / Double(steps)
    }
}

/// One viewer in front of one title.
package struct Viewing: Sendable, Equatable {
    package var agent: Int
    package var title: Int
    package var startsAt: Instant
    /// When the viewer turns to something else, whatever was played by then.
    package var endsAt: Instant
    /// Places of the title's segments that are played; between two parts the viewer jumps.
    package var parts: [Range<Int>]

    package var playedSegments: Int { parts.reduce(0) { $0 + $1.count } }
}

extension OnDemand {
    /// Who watches what and when: a function of the scenario's seed, the same for all policies.
    package func plan(_ scenario: Scenario) -> [Viewing] {
        var random = SeededGenerator(seed: mixed(scenario.seed, 0x7669_6577_696e_67))
        let popularity = ZipfLaw(titles: titles, skew: skew)
        let viewings: [Viewing]
        switch audience {
        case .passing(let perSecond, let stay):
            var time = Instant.start
            viewings = (0..<scenario.peers).map { agent in
                time = time + .seconds(random.exponential() / perSecond)
                let title = popularity.draw(&random)
                let parts = parts(scenario, &random)
                return Viewing(agent: agent, title: title, startsAt: time, endsAt: time + stay, parts: parts)
            }
        case .resident(let screens, let pause):
            viewings = (0..<scenario.peers).flatMap { agent in
                (0..<max(1, screens)).flatMap { _ in lane(agent, pause, popularity, scenario, &random) }
            }
        }
        return viewings.filter { $0.startsAt < .start + scenario.duration }.enumerated().sorted {
            ($0.element.startsAt, $0.offset) < ($1.element.startsAt, $1.offset)
        }.map { $0.element }
    }

    /// What one screen shows from the beginning to the end of the run.
    private func lane(
        _ agent: Int,
        _ pause: Duration,
        _ popularity: ZipfLaw,
        _ scenario: Scenario,
        _ random: inout SeededGenerator
    ) -> [Viewing] {
        // Screens begin anywhere within a title's time, so that they do not change titles together.
        var time = Instant.start + titleDuration * random.fraction()
        var viewings: [Viewing] = []
        while time < .start + scenario.duration {
            let title = popularity.draw(&random)
            let parts = parts(scenario, &random)
            let played = scenario.segmentDuration * parts.reduce(0) { $0 + $1.count }
            // A start and a few jumps take their time; nobody is cut off for that.
            let endsAt = time + played + .seconds(5 + 2 * parts.count) + pause * (0.5 + random.fraction())
            viewings.append(Viewing(agent: agent, title: title, startsAt: time, endsAt: endsAt, parts: parts))
            time = endsAt
        }
        return viewings
    }

    /// A viewing from the beginning, cut into parts by jumps forth and back.
    private func parts(_ scenario: Scenario, _ random: inout SeededGenerator) -> [Range<Int>] {
        let count = segmentsPerTitle(of: scenario.segmentDuration)
        var budget = count
        if random.fraction() < brokenOff { budget = max(1, Int(Double(count) * random.fraction())) }
        var parts: [Range<Int>] = []
        var place = 0
        while budget > 0 {
            // With `seeks` jumps expected in a whole title, the way to the next one is exponential.
            let way = seeks > 0 ? Int(random.exponential() * Double(count) / seeks) + 1 : count
            let end = min(count, place + min(way, budget))
            parts.append(place..<end)
            budget -= end - place
            guard seeks > 0, end < count, budget > 0 else { break }
            place = random.below(count - 1)
        }
        return parts
    }
}

/// Zipf's law over so many titles.
struct ZipfLaw {
    /// Sums of the weights up to each title.
    private let sums: [Double]

    init(titles: Int, skew: Double) {
        var sum = 0.0
        sums = (1...max(1, titles)).map { rank in
            sum += Exponential.value(-skew * Logarithm.natural(Double(rank)))
            return sum
        }
    }

    func draw(_ random: inout SeededGenerator) -> Int {
        let point = random.fraction() * (sums.last ?? 0)
        var low = 0
        var high = sums.count - 1
        while low < high {
            let middle = (low + high) / 2
            if sums[middle] <= point { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension SeededGenerator {
    /// Exponential with mean 1.
    mutating func exponential() -> Double { -Logarithm.natural(max(fraction(), 0x1p-53)) }
}

/// Without Foundation there is no `exp`.
enum Exponential {
    static func value(_ exponent: Double) -> Double {
        // e^x = 2^k · e^r with |r| ≤ ln 2 / 2, and a series for the rest.
        guard exponent > -700 else { return 0 }
        let natural = 0.693_147_180_559_945_3
        let power = (exponent / natural).rounded()
        let rest = exponent - power * natural
        var term = 1.0
        var sum = 1.0
        for place in 1..<18 {
            term *= rest / Double(place)
            sum += term
        }
        return Double(sign: .plus, exponent: Int(power), significand: sum)
    }
}
