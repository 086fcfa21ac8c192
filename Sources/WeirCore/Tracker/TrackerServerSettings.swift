/// What a tracker server asks of its clients and grants them.
package struct TrackerServerSettings: Sendable {
    /// Seconds between a client's announces, at least 1. Members are forgotten after two. 20 s is what a live swarm with
    /// viewers coming and going needs; a public tracker may say 120.
    package var intervalSeconds = 20
    /// Offers relayed for one announce, at most. Field trackers relay 10 to 82.
    package var offersPerAnnounce = 20
    package var swarmsPerSocket = 64
    package var swarms = 100_000
    /// Members of all swarms together.
    package var peers = 200_000

    package init() {}

    var interval: Duration { .seconds(max(1, intervalSeconds)) }
}

/// What a tracker server has done, and holds now.
package struct TrackerServerStatistics: Sendable, Equatable {
    package var sockets = 0
    package var swarms = 0
    package var peers = 0
    package var announces: Int64 = 0
    /// Relayed.
    package var offers: Int64 = 0
    package var answers: Int64 = 0

    package init() {}
}
