/// What receivers said of a member, as points: KiB of good media, less sixteen times the bad ones.
///
/// Each network that reports, 24 bits of an IPv4 address or 48 of an IPv6 one, moves a score by no more than its cap, so
/// that many receivers in many places outweigh any number of names on one host; all points are halved every half hour.
package struct PeerScore: Sendable {
    package static let capPerNetwork = 65_536.0
    package static let halving = Duration.seconds(1800)
    /// Networks remembered; the one with the least to say is forgotten.
    static let networks = 8
    private static let badWeight = 16.0

    private var parts: [(network: UInt64, points: Double)] = []
    private var updated = Instant.start

    package init() {}

    package mutating func note(good: Int, bad: Int, by network: UInt64, at now: Instant) {
        fade(to: now)
        let gain = Double(max(0, good)) - PeerScore.badWeight * Double(max(0, bad))
        let cap = PeerScore.capPerNetwork
        if let known = parts.firstIndex(where: { $0.network == network }) {
            parts[known].points = min(cap, max(-cap, parts[known].points + gain))
            return
        }
        let points = min(cap, max(-cap, gain))
        guard parts.count >= PeerScore.networks else { return parts.append((network, points)) }
        let least = parts.indices.min { abs(parts[$0].points) < abs(parts[$1].points) } ?? 0
        if abs(parts[least].points) < abs(points) { parts[least] = (network, points) }
    }

    private mutating func fade(to now: Instant) {
        let factor = PeerScore.factor(now - updated)
        updated = max(updated, now)
        guard factor < 1 else { return }
        for place in parts.indices { parts[place].points *= factor }
        parts.removeAll { abs($0.points) < 1 }
    }

    package func points(at now: Instant) -> Double {
        guard !parts.isEmpty else { return 0 }
        return parts.reduce(0) { $0 + $1.points } * PeerScore.factor(now - updated)
    }

    /// Halved for each half hour, straight lines in between.
    private static func factor(_ span: Duration) -> Double {
        let halvings = max(0, span.seconds / halving.seconds)
        guard halvings < 60 else { return 0 }
        let whole = halvings.rounded(.down)
        return (1 - (halvings - whole) / 2) / Double(UInt64(1) << UInt64(whole))
    }
}
