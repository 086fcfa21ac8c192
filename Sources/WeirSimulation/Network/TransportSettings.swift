package import WeirCore

/// Constants of the transport model, with their sources.
package enum Transport {
    /// Payload of a full packet: 1500 − 20 (IPv4) − 20 (TCP) − 12 (time stamps, RFC 7323).
    package static let segmentBytes = 1448
    /// Headers of each packet on the access link.
    package static let headerBytes = 52
    /// RFC 6928: ten full packets.
    package static let initialWindow = 10 * segmentBytes
    /// Bytes served at once to one connection before the next has its turn: a chunk with its headers.
    package static let quantum = 16 * 1024 + 512
    /// RFC 6298 gives 1 s; Linux and most others use this floor.
    package static let minimumTimeout = Duration.milliseconds(200)
    /// What a receiver that does not read lets arrive (Linux' tcp_rmem grows to 6 MiB; a box is stingier).
    package static let receiveWindow = 1024 * 1024
    /// Least socket buffer at the sender (Linux' tcp_wmem default is 16 KiB, grown to twice the window).
    package static let sendBuffer = 64 * 1024
    /// What agents' links let their kernel hold unsent (TCP_NOTSENT_LOWAT), so that what waits can still be reordered
    /// and cancelled.
    package static let linkUnsentLimit = 16 * 1024
    /// How long a connect attempt to a host that does not answer lasts.
    package static let connectTimeout = Duration.seconds(5)
    /// How long a closed connection tries to deliver what was sent before.
    package static let linger = Duration.seconds(1)

    /// Bytes on the access link for this much payload.
    static func wireBytes(_ payload: Int) -> Int {
        payload + headerBytes * ((payload + segmentBytes - 1) / segmentBytes)
    }

    /// Bytes of the acknowledgements of this much payload, one per two packets.
    static func acknowledgementBytes(_ payload: Int) -> Int {
        headerBytes * ((payload + 2 * segmentBytes - 1) / (2 * segmentBytes))
    }
}

/// A host's access link.
package struct HostSettings: Sendable {
    /// Bytes per second.
    package var uplink: Double
    package var downlink: Double
    /// How much either direction queues before it drops, as time at its rate.
    package var queue: Duration
    /// Where the host lies in the unit square; the distance between two hosts gives their delay.
    package var place: (x: Double, y: Double)
    /// Round trip to everybody, in place of the distance (an origin behind a content network).
    package var fixedRoundTrip: Duration?

    package init(
        uplink: Double,
        downlink: Double,
        queue: Duration = .milliseconds(250),
        place: (x: Double, y: Double) = (0, 0),
        fixedRoundTrip: Duration? = nil
    ) {
        self.uplink = uplink
        self.downlink = downlink
        self.queue = queue
        self.place = place
        self.fixedRoundTrip = fixedRoundTrip
    }
}
