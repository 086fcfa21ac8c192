import WeirCore

/// What a run of a stream with several renditions showed beyond the rest.
package struct RenditionFigures: Sendable, Equatable {
    /// In use at a time, on average, and what that allows whatever their bitrates: the mean of 1 − G/N.
    package let inUse: Double
    package let copiesBound: Double
    /// Bits per second that viewers got of what they played, on average.
    package let watchedRate: Double
    package let switchesUp: Int
    package let switchesDown: Int

    init(_ simulation: Simulation) {
        let scenario = simulation.scenario
        let agents = simulation.agents.filter { !$0.role.isHostile }
        let figures = agents.flatMap { $0.players.map(\.figures) }
        let seconds = simulation.timeline.seconds
            .dropFirst(Int(scenario.warmUp.seconds)).filter { $0.watching > 0 }
        let count = Double(max(1, seconds.count))
        inUse = Double(seconds.reduce(0) { $0 + $1.renditions }) / count
        copiesBound = seconds.reduce(0) { $0 + 1 - Double($1.renditions) / Double($1.watching) } / count
        let watched = Double(figures.reduce(0) { $0 + $1.segments }) * scenario.segmentDuration.seconds
        watchedRate = watched > 0 ? Double(figures.reduce(0) { $0 + $1.deliveredBytes }) * 8 / watched : 0
        switchesUp = figures.reduce(0) { $0 + $1.switches.up }
        switchesDown = figures.reduce(0) { $0 + $1.switches.down }
    }

    package var line: String {
        func decimals(_ value: Double, _ digits: Int) -> String { DecimalText.format(value, digits: digits) }
        return "renditions: \(decimals(inUse, 2)) in use (1 - G/N: \(decimals(copiesBound * 100, 1)) %), watched at"
            + " \(decimals(watchedRate / 1e6, 2)) Mbit/s, \(switchesUp) switches up, \(switchesDown) down"
    }
}
