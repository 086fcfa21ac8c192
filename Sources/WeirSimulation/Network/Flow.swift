import WeirCore

/// One direction of a connection: a sender with a congestion window (RFC 5681) and a receiver that reassembles.
///
/// Window: slow start → congestion avoidance at `threshold`, or when a queue is felt (`HyStart`); any → 0.7 of it at a
/// drop; idle > time-out → initial window. These are the ways of CUBIC, the kernel's default, as far as windows of some
/// hundred packets show them.
final class Flow {
    struct Packet {
        var offset: Int64
        var size: Int
        var sentAt: Instant
        /// Whether the window, and not the application, decided its size or time.
        var windowLimited: Bool
        /// How long it waited for what was before it, at the uplink and the downlink, and so did its acknowledgement.
        var waited = Duration.zero
        /// When its acknowledgement reaches the sender, and up to where the receiver's application had read by then.
        var acknowledgedAt = Instant.start
        var read: Int64 = 0

        /// Adds what directly follows, so that small acknowledgements do not beget ever smaller packets.
        mutating func absorb(_ next: Packet, limit: Int) -> Bool {
            guard next.offset == offset + Int64(size), size + next.size <= limit else { return false }
            size += next.size
            windowLimited = windowLimited || next.windowLimited
            return true
        }
    }

    let connection: Int
    let sender: Int
    let receiver: Int
    /// One way.
    let delay: Duration
    var isOpen = false
    /// Frames were handed over that wait until everything was said.
    var isHeld = false
    /// Bytes beyond those sent that the kernel takes (TCP_NOTSENT_LOWAT), nil for the default: a buffer of twice the
    /// window.
    var unsentLimit: Int?

    // Sender.
    /// Bytes of the stream that the application has handed over, that the kernel took, and that were sent once.
    var written: Int64 = 0
    var accepted: Int64 = 0
    var sent: Int64 = 0
    var acknowledged: Int64 = 0
    var inFlight = 0
    var window = Double(Transport.initialWindow)
    var threshold = Double.infinity
    /// The window at the last drop; nil before the first.
    private var formerWindow: Double?
    /// Packets that were dropped below this offset have been paid for.
    var recovery: Int64 = 0
    var roundTrip: Duration
    private var hyStart = HyStart()
    var lastSent = Instant.start
    var retransmissions = Ring<Packet>()
    var uplinkQueue = Ring<Packet>()
    /// Bytes in `uplinkQueue`.
    var queued = 0
    var hasTurn = false
    /// What is left of its turns at the uplink, so that small packets cost a flow nothing (deficit round robin,
    /// Shreedhar and Varghese 1995).
    var credit = 0
    /// Where unsent frames end in the stream.
    var frameEnds = Ring<Int64>()
    /// Where the receiver's application has read to, as far as the sender knows.
    var consumedAsKnown: Int64 = 0
    /// The stream ends here: the sender closed and what it sent still leaves.
    var endsAt: Int64?

    // Between the two.
    var inTransit = Ring<Packet>()
    var atDownlink = Ring<Packet>()
    var acknowledgements = Ring<Packet>()
    /// An event for the first of them is in the queue.
    var isWatched = false
    var losses = Ring<Packet>()
    var lastAcknowledgement = Instant.start
    var lastLoss = Instant.start

    // Receiver.
    var frames = Ring<(end: Int64, frame: Frame)>()
    /// Everything below has arrived.
    var contiguous: Int64 = 0
    /// Everything below was read by the application.
    var consumed: Int64 = 0
    var outOfOrder: [Packet] = []
    var isPaused = false

    init(connection: Int, sender: Int, receiver: Int, delay: Duration) {
        self.connection = connection
        self.sender = sender
        self.receiver = receiver
        self.delay = delay
        roundTrip = delay * 2
    }

    /// An acknowledgement will let something happen here: more to send, to take from the application, or the end. All
    /// others are taken in when the flow is next used, which spares most of their events.
    var waits: Bool {
        written > sent || accepted < written || endsAt != nil || !retransmissions.isEmpty
    }

    /// Takes in the acknowledgements that have arrived.
    func settle(at now: Instant) {
        while let packet = acknowledgements.first, packet.acknowledgedAt <= now {
            _ = acknowledgements.popFirst()
            acknowledge(packet, at: packet.acknowledgedAt)
            consumedAsKnown = max(consumedAsKnown, packet.read)
        }
    }

    var timeout: Duration { max(Transport.minimumTimeout, roundTrip * 2) }

    /// Bytes that may be sent now.
    func allowance() -> Int {
        let unread = max(0, Int(sent - consumedAsKnown) - inFlight)
        return min(Int(window), Transport.receiveWindow - unread) - inFlight
    }

    /// Slow start counts a window as used from half of it (as Linux does).
    func fillsHalfTheWindow(with size: Int) -> Bool {
        window < threshold && 2 * Double(inFlight + size) >= window
    }

    /// Packets of the model are larger than real ones: one that would carry a little of the next frame ends with its
    /// own, so that no frame waits for its successor's bytes.
    func cutAtFrame(_ size: Int) -> Int {
        var cut: Int64 = 0
        while let end = frameEnds.first, end <= sent + Int64(size) {
            cut = end - sent
            _ = frameEnds.popFirst()
        }
        guard cut < Int64(size), cut * 2 >= Int64(size) else { return size }
        return Int(cut)
    }

    /// The stream's offset up to which the kernel takes bytes from the application.
    var acceptable: Int64 {
        if let unsentLimit { return sent + Int64(unsentLimit) }
        return acknowledged + Int64(max(Transport.sendBuffer, 2 * Int(window)))
    }

    /// After a pause longer than the time-out the path is unknown again (RFC 5681 4.1).
    func restartIfIdle(at now: Instant) {
        guard inFlight == 0, now - lastSent > timeout, window > Double(Transport.initialWindow) else { return }
        threshold = max(threshold.isFinite ? threshold : 0, window * 0.75)
        window = Double(Transport.initialWindow)
    }

    /// A packet at `offset` was dropped.
    func shrink(lossAt offset: Int64) {
        guard offset >= recovery else { return }
        formerWindow = window
        threshold = max(window * 0.7, Double(2 * Transport.segmentBytes))
        window = threshold
        recovery = sent
    }

    /// Bytes that a round trip adds to the window in congestion avoidance: 5 % while no drop has told what the line
    /// holds (tcp_cubic.c), then as RFC 9438 4.3 keeps the pace of halving connections.
    private var growth: Double {
        guard let formerWindow else { return max(Double(Transport.segmentBytes), window * 0.05) }
        return Double(Transport.segmentBytes) * (window < formerWindow ? 0.53 : 1)
    }

    func acknowledge(_ packet: Packet, at now: Instant) {
        inFlight -= packet.size
        acknowledged += Int64(packet.size)
        let sample = now - packet.sentAt
        roundTrip = Duration(nanoseconds: (roundTrip.nanoseconds * 7 + sample.nanoseconds) / 8)
        guard packet.windowLimited else { return }
        if window < threshold,
            hyStart.endsSlowStart(packet, sent: sent, window: window, roundTrip: delay * 2, at: now)
        {
            threshold = window
        }
        if window < threshold {
            window = min(window + Double(packet.size), max(threshold, window))
        } else {
            window += growth * Double(packet.size) / window
        }
    }

    /// Takes a packet in at the receiver.
    func receive(_ packet: Packet) {
        guard packet.offset == contiguous else {
            let place = outOfOrder.firstIndex { $0.offset > packet.offset } ?? outOfOrder.count
            outOfOrder.insert(packet, at: place)
            return
        }
        contiguous += Int64(packet.size)
        while let next = outOfOrder.first, next.offset == contiguous {
            contiguous += Int64(next.size)
            outOfOrder.removeFirst()
        }
    }

    /// The connection is gone: whatever waited is forgotten.
    func drop() {
        isOpen = false
        frames.removeAll()
        frameEnds.removeAll()
        retransmissions.removeAll()
        outOfOrder = []
    }
}
