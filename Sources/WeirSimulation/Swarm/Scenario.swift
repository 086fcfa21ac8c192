package import WeirCore

/// Everything that decides a run: equal scenarios go equal ways.
package struct Scenario: Sendable {
    /// What agents do with each other.
    package enum Policy: String, CaseIterable, Sendable {
        /// The core, linked.
        case weir
        /// The core without links: what a player alone would do.
        case plain
        /// Whole segments from one peer, readers by chance: `OnePeerPolicy`.
        case onePeer = "one-peer"
        /// Whole segments from one peer, an elected reader for each: `OnePeerPolicy` with the other rule.
        case elected
    }

    /// How an agent behaves towards others.
    package enum Role: String, CaseIterable, Sendable {
        case honest
        /// Receives only.
        case freeRider = "free-rider"
        /// Honest, at a tenth of the others' uplink.
        case slow
        /// Honest, but its uplink stands still for `stallTime` out of each `stallPeriod`.
        case stalling
        /// Sends bytes that contradict the digests it passes on.
        case polluter
        /// Reads wrong bytes from the origin, vouches for them and serves them.
        case liar
        /// A liar one chunk in a hundred.
        case seldomLiar = "seldom-liar"
        /// Liars that change what they read alike: their lists agree.
        case colluder
        /// Reads an older version of everything, and says so.
        case oldReader = "old-reader"
        /// Every chunk it sends is other noise.
        case garbler
        /// Sends another segment's bytes.
        case swapper
        /// States false lengths.
        case sizer
        /// Has a tenth of the others' uplink, and says that it can pass on everything.
        case boaster
        /// Claims everything and sends nothing.
        case mute
        /// Claims everything; once asked for something its line carries a byte per second.
        case strangler
        /// Claims everything and sends all but each fourth chunk.
        case withholder
        /// Pollutes; once banned it comes back as somebody else.
        case whitewasher
        /// Asks for the same chunks again and again.
        case hammer
        /// Asks for much and reads nothing.
        case glutton
        /// Asks for what does not exist.
        case dreamer
        /// Asks and cancels in turns.
        case flapper
        /// Announces as much as frames hold, all the time.
        case flooder
        /// Names victims' and private addresses as members.
        case misleader

        /// Its viewer's figures count for nothing.
        package var isHostile: Bool {
            switch self {
            case .honest, .freeRider, .slow, .stalling: false
            default: true
            }
        }

        /// It has `slowShare` of the others' uplink.
        var isSlow: Bool { self == .slow || self == .boaster }

        /// What it states is false, and only the origin can tell.
        var isLiar: Bool { self == .liar || self == .seldomLiar || self == .colluder || self == .oldReader }
    }

    package static let slowShare = 0.1
    package static let stallTime = Duration.seconds(3)
    package static let stallPeriod = Duration.seconds(10)

    package enum Action: Sendable {
        /// kill -9: the kernel closes the connections.
        case kill(agent: Int)
        /// Power off: nobody hears of it.
        case vanish(agent: Int)
        /// SIGTERM.
        case stop(agent: Int)
        /// Newcomers, evenly at random within a time.
        case join(count: Int, over: Duration)
        /// This part of who is there at that moment, at random, says goodbye within a time and is not replaced.
        case leave(share: Double, over: Duration)

        package var agent: Int? {
            switch self {
            case .kill(let agent), .vanish(let agent), .stop(let agent): agent
            case .join, .leave: nil
            }
        }
    }

    /// Access links whose rates change: at each step every viewer's are drawn anew.
    package struct Swing: Sendable {
        package var from: Instant
        package var until: Instant
        package var every: Duration
        /// Of the rates that the scenario gives, both directions alike.
        package var factors: (least: Double, most: Double)
    }

    package var policy = Policy.weir
    package var seed: UInt64 = 1
    package var peers = 30
    package var isLive = true
    package var duration = Duration.seconds(600)
    /// What happens before this moment counts as start-up.
    package var warmUp = Duration.seconds(60)
    /// Viewers begin evenly at random within this time.
    package var arrivals = Duration.seconds(20)
    /// Mean of exponential viewing times; who leaves is replaced at once.
    package var churn: Duration?

    /// Bits per second.
    package var bitrate = 1_000_000.0
    /// Bits per second of each rendition, least first; empty: one, of `bitrate`.
    package var renditions: [Double] = []
    package var segmentDuration = Duration.seconds(2)
    package var window = 8
    /// Of a recording; nil: as long as the run.
    package var recordedDuration: Duration?

    /// Bits per second on the viewers' access links, headers included.
    package var uplink = 5_000_000.0
    /// Uplinks of the first agents, in order, where they differ from that.
    package var uplinks: [Double] = []
    package var downlink = 20_000_000.0
    /// Parts of the viewers whose downlinks are other ones.
    package var narrow: [(share: Double, downlink: Double)] = []
    package var roundTrips = (least: Duration.milliseconds(20), most: Duration.milliseconds(80))
    package var originRate = 1_000_000_000.0
    package var originRoundTrip = Duration.milliseconds(30)
    package var requestLatency = Duration.milliseconds(2)
    package var isAnchored = false
    package var faults: [OriginFault] = []
    /// The origin gives every second viewer other bytes, as for A/B tests and per-viewer advertising.
    package var isSplit = false

    /// Agents that share an IP network (/24), neighbours by number: audits, scores and searches tell networks apart.
    package var agentsPerNetwork = 1
    /// The first so many agents are one host under many names.
    package var agentsOnFirstHost = 1
    /// Agents that a newcomer is linked to; up to twice as many link to it later. Nil: as many as the policy asks for.
    package var links: Int?
    /// How agents of the `weir` policy find each other; nil: the simulator links newcomers to others at random.
    package var tracker: TrackerModel?
    /// Part of all pairs that cannot reach each other.
    package var unreachable = 0.0
    /// Part of the agents that receive only.
    package var freeRiders = 0.0
    /// Parts of the viewers with a role; free riders have a key of their own.
    package var shares: [(role: Role, share: Double)] = []
    /// By agent number, before any share; all others are honest.
    package var roles: [(agent: Int, role: Role)] = []
    package var swings: [Swing] = []
    package var script: [(at: Instant, action: Action)] = []
    /// Spans that the report gives figures of, beside those of the whole run.
    package var measures: [MeasuredSpan.Wish] = []
    package var settings = AgentSettings()
    package var limits = Limits()
    /// For `onePeer`: how much playback ahead goes to HTTP at once. Live players of p2p-media-loader (PeerTube) use 4 s;
    /// the library's 15 s would send every segment of a short live window to the origin. For `elected`: below how much
    /// buffer the player's request does.
    package var highDemandWindow: Duration?
    /// How many segments from the end of a live list players begin; nil: as players of the policy do.
    package var behind: Int?

    /// Recordings that each viewer begins when it likes, instead of one stream that all watch; `isLive` is false then.
    package var onDemand: OnDemand?

    package init() {}

    /// With vouched evidence a lying voucher's bytes get through until an audit finds them; a lying origin's always do.
    var mayDeliverWrongBytes: Bool {
        let isLied = roles.contains { $0.role.isLiar } || shares.contains { $0.role.isLiar && $0.share > 0 }
        return isLied && settings.integrity == .vouched || faults.contains { $0.kind == .wrongBytes }
    }

    /// p2p-media-loader asks its tracker for five peers at a time. More links only hurt it: all ask the same holder, and
    /// no 64 KiB message comes through a shared uplink within its 2 s (30 viewers: 85 % offload with 5, 50 % with 20).
    package var introductions: Int {
        switch policy {
        case .weir, .plain: links ?? (isLive ? Agent.linksForLive : Agent.linksForRecordings)
        case .onePeer, .elected: links ?? 5
        }
    }

    /// Every player begins three segments from the end, as ffplay and hls.js do (RFC 8216 6.3.3), but the baselines come
    /// with their own: p2p-media-loader's integration sets hls.js's liveSyncDurationCount to all of the list but one
    /// segment, at most 120 s (from five segments on; 2.3.0), and 5.x at most 60 s. What they share, they share there.
    package var startFromEnd: Int {
        if let behind { return max(1, behind) }
        let most: Int
        switch policy {
        case .weir, .plain: return 3
        case .onePeer: most = Int(120 / segmentDuration.seconds)
        case .elected: most = Int(60 / segmentDuration.seconds)
        }
        return window > 4 ? max(1, min(window - 1, most)) : 3
    }

    package var addresses: AgentAddresses {
        AgentAddresses(agentsPerNetwork: agentsPerNetwork, agentsOnFirstHost: agentsOnFirstHost)
    }

    /// Bits per second of an agent's uplink.
    package func uplink(of agent: Int) -> Double { uplinks.indices.contains(agent) ? uplinks[agent] : uplink }

    /// Bits per second of an agent's downlink: drawn from its number alone, so that all policies have the same.
    package func downlink(of agent: Int) -> Double {
        guard !narrow.isEmpty else { return downlink }
        var place = Double(mixed(seed, 0x6e61_7272_6f77, UInt64(agent)) >> 11) * 0x1p-53
        for part in narrow {
            if place < part.share { return part.downlink }
            place -= part.share
        }
        return downlink
    }

    package var shape: StreamShape {
        let recording = onDemand?.titleDuration ?? recordedDuration ?? duration
        let recorded = Int(recording.seconds / segmentDuration.seconds)
        var shape = StreamShape(
            isLive: isLive,
            bitrate: bitrate,
            segmentDuration: segmentDuration,
            window: window,
            recordedSegments: max(1, recorded),
            seed: seed
        )
        shape.titles = onDemand?.titles ?? 1
        shape.renditions = renditions
        return shape
    }
}
