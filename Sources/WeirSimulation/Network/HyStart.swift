import WeirCore

/// When slow start ends without a loss: HyStart (Ha, Rhee 2008) as Linux' CUBIC has it (tcp_cubic.c), the default of
/// boxes and servers. Without it every fast download of the model filled the queue before it, and whatever else came
/// down that line waited a quarter of a second (measured against real sockets in the micro-scenes).
///
/// Round: begins with the first acknowledgement beyond what was sent when the last one began.
struct HyStart {
    /// What is looked at of a round to feel a queue: eight acknowledgements, one a packet as long as a connection is new.
    private static let sampleBytes = 8 * Transport.segmentBytes
    /// Acknowledgements closer than this come in a train.
    private static let trainGap = Duration.milliseconds(2)
    /// A smaller window is let grow in any case.
    private static let leastWindow = Double(16 * Transport.segmentBytes)

    private var roundEnd: Int64 = 0
    private var began = Instant.start
    private var lastOfTrain = Instant.start
    private var sampled = 0
    private var leastWait = Duration.forever
    /// Of the whole connection: what it takes for the empty line.
    private var usualWait = Duration.forever

    /// Takes an acknowledgement in.
    ///
    /// - Parameters:
    ///   - sent: the stream's offset up to which packets have left.
    ///   - roundTrip: with empty queues.
    /// - Returns: whether slow start is over: the round's first packets all waited in a queue, or its acknowledgements
    ///   came one after another for half of a round trip, so that packets fill the line that long.
    mutating func endsSlowStart(
        _ packet: Flow.Packet,
        sent: Int64,
        window: Double,
        roundTrip: Duration,
        at now: Instant
    ) -> Bool {
        if packet.offset >= roundEnd {
            roundEnd = sent
            (began, lastOfTrain) = (now, now)
            sampled = 0
            leastWait = .forever
        }
        usualWait = min(usualWait, packet.waited)
        let acknowledgements = max(1, packet.size / (2 * Transport.segmentBytes))
        let isInTrain = now - lastOfTrain <= HyStart.trainGap * acknowledgements
        if isInTrain { lastOfTrain = now }
        if sampled < HyStart.sampleBytes {
            sampled += packet.size
            leastWait = min(leastWait, packet.waited)
        }
        guard window >= HyStart.leastWindow else { return false }
        if isInTrain, now - began > roundTrip / 2 { return true }
        let bearable = min(max(roundTrip / 8, .milliseconds(4)), .milliseconds(16))
        return sampled >= HyStart.sampleBytes && leastWait - usualWait >= bearable
    }
}
