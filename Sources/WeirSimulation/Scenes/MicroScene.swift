/// A few transfers between a few hosts: small enough to be timed on real sockets too, so that the transport model can
/// be held against them.
///
/// Whoever runs a scene, the model or real sockets, does the same: a conversation's first host connects to the second
/// and sends a request of `requestBytes`; the second answers it, or, when the path goes on, asks the third in the same
/// manner and passes on each piece of `pieceBytes` as soon as it has it whole.
package struct MicroScene: Sendable {
    /// An access link.
    package struct Host: Sendable {
        /// Mbit/s of IP packets.
        package var uplink: Double
        package var downlink: Double
    }

    /// Requests one after another on one connection.
    package struct Conversation: Sendable {
        /// Hosts from the one that asks to the one that has the bytes.
        package var path: [Int]
        /// Seconds after the scene's beginning.
        package var start = 0.0
        /// Bytes of each answer, and seconds of silence before its request.
        package var requests: [(pause: Double, bytes: Int)]
        /// Whether its last answer's end counts: others are there to be in the way.
        package var isMeasured = true
    }

    package static let requestBytes = 200
    package static let pieceBytes = 16 * 1024
    /// Both directions of every access link hold as much before they drop.
    package static let queueSeconds = 0.25

    package var name: String
    /// Seconds between any two hosts, queues empty.
    package var roundTrip: Double
    package var hosts: [Host]
    package var conversations: [Conversation]
    /// Whether downlinks and the other direction's traffic make no difference.
    package var isDecidedByUplinks = false

    /// The scene with beginnings and pauses a little off, as they are in life: the same for a seed.
    package func varied(seed: UInt64) -> MicroScene {
        var generator = SeededGenerator(seed: seed)
        var scene = self
        for place in scene.conversations.indices {
            if place > 0 { scene.conversations[place].start += generator.fraction() * roundTrip }
            for request in scene.conversations[place].requests.indices {
                scene.conversations[place].requests[request].pause *= 1 + 0.2 * generator.fraction()
            }
        }
        return scene
    }

    package static let all = [
        cold, warm, sharedUplink, uploadAmidDownload, downloadAmidUpload, threeSources, cutThrough,
    ]

    /// Slow start, then the uplink's rate.
    private static let cold = MicroScene(
        name: "one cold transfer",
        roundTrip: 0.04,
        hosts: [Host(uplink: 5, downlink: 50), Host(uplink: 10, downlink: 50)],
        conversations: [Conversation(path: [0, 1], requests: [(0, 1 << 20)])],
        isDecidedByUplinks: true
    )

    /// The window after idleness.
    private static let warm = MicroScene(
        name: "a second one after 1 s of silence",
        roundTrip: 0.04,
        hosts: [Host(uplink: 5, downlink: 50), Host(uplink: 10, downlink: 50)],
        conversations: [Conversation(path: [0, 1], requests: [(0, 512 * 1024), (1, 512 * 1024)])],
        isDecidedByUplinks: true
    )

    private static let sharedUplink = MicroScene(
        name: "two flows share one uplink",
        roundTrip: 0.04,
        hosts: [Host(uplink: 10, downlink: 50), Host(uplink: 5, downlink: 50), Host(uplink: 5, downlink: 50)],
        conversations: [
            Conversation(path: [1, 0], requests: [(0, 768 * 1024)]),
            Conversation(path: [2, 0], requests: [(0, 768 * 1024)]),
        ],
        isDecidedByUplinks: true
    )

    /// The download's acknowledgements and the upload's packets leave by one uplink; so do, the other way, the
    /// upload's acknowledgements and the download's packets.
    private static let uploadAmidDownload = MicroScene(
        name: "upload amid a download",
        roundTrip: 0.04,
        hosts: [Host(uplink: 5, downlink: 20), Host(uplink: 50, downlink: 50), Host(uplink: 5, downlink: 50)],
        conversations: [
            Conversation(path: [0, 1], requests: [(0, 5 << 20)], isMeasured: false),
            Conversation(path: [2, 0], start: 0.3, requests: [(0, 768 * 1024)]),
        ]
    )

    private static let downloadAmidUpload = MicroScene(
        name: "download amid an upload",
        roundTrip: 0.04,
        hosts: [Host(uplink: 5, downlink: 20), Host(uplink: 50, downlink: 50), Host(uplink: 5, downlink: 50)],
        conversations: [
            Conversation(path: [2, 0], requests: [(0, 1280 * 1024)], isMeasured: false),
            Conversation(path: [0, 1], start: 0.3, requests: [(0, 2 << 20)]),
        ]
    )

    /// The race's own case: together they send faster than the receiver's link, whose queue overflows.
    private static let threeSources = MicroScene(
        name: "three sources into one downlink",
        roundTrip: 0.04,
        hosts: [
            Host(uplink: 5, downlink: 15), Host(uplink: 10, downlink: 50), Host(uplink: 10, downlink: 50),
            Host(uplink: 10, downlink: 50),
        ],
        conversations: [
            Conversation(path: [0, 1], requests: [(0, 1 << 20)]),
            Conversation(path: [0, 2], requests: [(0, 1 << 20)]),
            Conversation(path: [0, 3], requests: [(0, 1 << 20)]),
        ]
    )

    private static let cutThrough = MicroScene(
        name: "cut-through over two hops",
        roundTrip: 0.04,
        hosts: [Host(uplink: 10, downlink: 50), Host(uplink: 10, downlink: 50), Host(uplink: 10, downlink: 50)],
        conversations: [Conversation(path: [0, 1, 2], requests: [(0, 1 << 20)])],
        isDecidedByUplinks: true
    )
}
