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
        /// Seconds to everybody and back, in place of the scene's.
        package var roundTrip: Double?
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
        /// Its clock begins with its first request, not with its last.
        package var measuresAll = false
        /// Seconds after its start at which the host that asks drops the connection, whatever has come.
        package var givesUpAfter: Double?
        /// The answering host closes the connection after so many bytes of the answer; the rest is asked of another.
        package var breaks: (after: Int, spare: Int)?
        /// Bytes per second at which the answering host hands over what it sends: a token bucket with two pieces in it.
        package var pace: Double?
        /// After so many bytes of the answer the host that asks reads nothing for so many seconds.
        package var rest: (after: Int, seconds: Double)?
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
        cold, warm, sharedUplink, uploadAmidDownload, downloadAmidUpload, threeSources, cutThrough, nearAndFar,
        cancelled, lostSource, paced, restingReceiver, smallAmidLarge,
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

    /// Whoever is near gets its acknowledgements sooner and would take the uplink, if flows shared it by windows.
    private static let nearAndFar = MicroScene(
        name: "one uplink, one flow near and one far",
        roundTrip: 0.02,
        hosts: [
            Host(uplink: 10, downlink: 50), Host(uplink: 5, downlink: 50),
            Host(uplink: 5, downlink: 50, roundTrip: 0.16),
        ],
        conversations: [
            Conversation(path: [1, 0], requests: [(0, 1536 * 1024)], isMeasured: false),
            Conversation(path: [2, 0], requests: [(0, 768 * 1024)]),
        ]
    )

    /// What a cancelled download leaves in the sender's kernel and queue, the next one waits for.
    private static let cancelled = MicroScene(
        name: "a download dropped amid another",
        roundTrip: 0.04,
        hosts: [Host(uplink: 10, downlink: 50), Host(uplink: 5, downlink: 50), Host(uplink: 5, downlink: 50)],
        conversations: [
            Conversation(path: [1, 0], requests: [(0, 4 << 20)], isMeasured: false, givesUpAfter: 0.6),
            Conversation(path: [2, 0], requests: [(0, 1 << 20)]),
        ]
    )

    /// Its end is heard of when what it sent has come; the rest begins cold.
    private static let lostSource = MicroScene(
        name: "a source that ends in mid-chunk, then another",
        roundTrip: 0.04,
        hosts: [Host(uplink: 5, downlink: 50), Host(uplink: 10, downlink: 50), Host(uplink: 10, downlink: 50)],
        conversations: [
            Conversation(path: [0, 1], requests: [(0, 1 << 20)], breaks: (after: 500_000, spare: 2))
        ]
    )

    /// An upload limit below the uplink, beside a flow without one.
    private static let paced = MicroScene(
        name: "a paced flow beside a free one",
        roundTrip: 0.04,
        hosts: [Host(uplink: 10, downlink: 50), Host(uplink: 5, downlink: 50), Host(uplink: 5, downlink: 50)],
        conversations: [
            Conversation(path: [1, 0], requests: [(0, 320 * 1024)], pace: 250_000),
            Conversation(path: [2, 0], requests: [(0, 1 << 20)]),
        ]
    )

    /// The sender goes on into the receiver's kernel.
    private static let restingReceiver = MicroScene(
        name: "a receiver that rests for 0.3 s",
        roundTrip: 0.04,
        hosts: [Host(uplink: 5, downlink: 50), Host(uplink: 10, downlink: 50)],
        conversations: [
            Conversation(path: [0, 1], requests: [(0, 1 << 20)], rest: (after: 600_000, seconds: 0.3))
        ]
    )

    /// Requests and their small answers, each behind what the other connection has queued at the same uplink.
    private static let smallAmidLarge = MicroScene(
        name: "small messages amid an upload",
        roundTrip: 0.04,
        hosts: [Host(uplink: 5, downlink: 20), Host(uplink: 5, downlink: 50), Host(uplink: 5, downlink: 50)],
        conversations: [
            Conversation(path: [1, 0], requests: [(0, 1280 * 1024)], isMeasured: false),
            Conversation(
                path: [2, 0],
                start: 0.6,
                requests: Array(repeating: (0, 400), count: 10),
                measuresAll: true
            ),
        ]
    )
}
