@testable import WeirCore

extension Agent {
    func spreadOfOrigin(at now: Instant) -> Double {
        hosts["http://o.example:80"]?.estimate.spread(at: now) ?? hosts.values.first?.estimate.spread(at: now) ?? -1
    }
}
