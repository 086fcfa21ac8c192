/// What a tracker server asks of its clients and grants them.
package struct TrackerServerSettings: Sendable {
    /// Seconds between a client's announces, at least 1. Members are forgotten after two. 20 s is what a live swarm with
    /// viewers coming and going needs; a public tracker may say 120.
    package var intervalSeconds = 20
    /// Each client is told the interval plus or minus a random part of it up to this, so that those who came together do
    /// not come back together.
    package var intervalJitter = 0.1
    /// Offers relayed for one announce, at most. Field trackers relay 10 to 82.
    package var offersPerAnnounce = 20
    package var swarmsPerSocket = 64
    package var swarms = 100_000
    /// Members of all swarms together.
    package var peers = 200_000
    /// Announces a second from which on peers are found by the reserve search.
    package var fullSearchRate = 20_000
    /// Viewers that the channel's servers can carry alone; nil: nothing is served directly on a tracker's word.
    package var maximumStreams: Int?
    /// The part of `maximumStreams`, 0 to 1, that peers are to carry: 0 has viewers served directly up to the servers'
    /// capacity, 1 always by peers.
    package var dynamicStreamingRate = 0.0

    package init() {}

    var interval: Duration { .seconds(max(1, intervalSeconds)) }
}

/// What a tracker server has done, and holds now.
package struct TrackerServerStatistics: Sendable, Equatable {
    package var sockets = 0
    package var swarms = 0
    package var peers = 0
    /// Viewers of all channels, as announced.
    package var viewers = 0
    package var announces: Int64 = 0
    /// Relayed.
    package var offers: Int64 = 0
    package var answers: Int64 = 0
    /// Members that were looked at to choose whom to introduce.
    package var looks: Int64 = 0
    /// Announces whose offers were placed by the reserve search.
    package var reserveSearches: Int64 = 0
    package var isReserve = false
    /// In the last whole second.
    package var announcesPerSecond = 0

    package init() {}
}

/// One channel, as a tracker's `/stats` tells of it.
package struct ChannelReport: Sendable, Equatable {
    /// The first 8 hexadecimal digits of the swarm: whoever runs the channel knows it by them, nobody can join by them.
    package var channel: String
    package var members: Int
    package var viewers: Int
    /// Nil: the tracker has no word on it.
    package var mode: DeliveryMode?
    package var reason: String
    package var since: Duration
}
