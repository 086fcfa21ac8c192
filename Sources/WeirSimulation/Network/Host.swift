import WeirCore

/// The running state of a host's access link.
final class Host {
    /// Alive → dead, once; a dead host neither sends nor receives nor closes.
    var isDead = false
    /// Refuses new connections.
    var refuses = false
    let settings: HostSettings
    /// Bytes per second.
    var uplinkRate: Double
    var downlinkRate: Double

    /// Flows with packets at the uplink, in the order of their turns.
    var turns = Ring<Int>()
    /// The flow whose turn goes on: what it has sent left some of it.
    var continuing: Int?
    /// The flow whose packet is leaving, −1 when none is, and the packet's payload bytes.
    var serving = -1
    var servingPayload = 0
    /// When the packet in service has left.
    var uplinkFree = Instant.start
    /// An event for that moment is in the queue: somebody waits for it.
    var isAwaited = false
    /// When the host died.
    var diedAt = Instant.never
    /// Payload bytes at the uplink, the packet in service included.
    var backlog = 0
    /// Acknowledgement bytes that the next packet in service has to wait for.
    var acknowledgementDebt = 0
    /// Nothing leaves before this moment.
    var frozenUntil = Instant.start

    /// When the downlink has delivered everything that arrived.
    var downlinkFree = Instant.start

    var connections: [Int] = []
    /// Wire bytes, for tests and reports.
    var sentBytes: Int64 = 0
    var receivedBytes: Int64 = 0
    var lostBytes: Int64 = 0

    init(_ settings: HostSettings) {
        self.settings = settings
        uplinkRate = settings.uplink
        downlinkRate = settings.downlink
    }

    /// A turn at the uplink: at most 16 KiB, and at most 24 ms, so that a slow uplink is not all of one flow's.
    var quantum: Int { min(Transport.quantum, max(Transport.segmentBytes, Int(uplinkRate * 0.024))) }

    /// The flow whose packet leaves next.
    func nextTurn() -> Int? {
        defer { continuing = nil }
        return continuing ?? turns.popFirst()
    }

    var uplinkLimit: Int { Int(uplinkRate * settings.queue.seconds) }
}

func transmissionTime(_ bytes: Int, at rate: Double) -> Duration {
    Duration(nanoseconds: Int64(Double(bytes) / rate * 1e9))
}
