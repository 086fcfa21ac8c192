package import WeirCore

/// A host with a decider in it: the shell's part, on the virtual clock.
///
/// Life: waiting → running → gone (stopped or killed).
package final class SimulatedAgent {
    package enum State { case waiting, running, gone }

    package let number: Int
    package let host: Int
    package let role: Scenario.Role
    package let id: PeerID
    package let publicKey: [UInt8]
    package var state = State.waiting
    package var startsAt: Instant
    package var endedAt: Instant?
    package let decider: any Decider
    let http: HTTPPool
    /// On its endpoint, one after another or at a time.
    var players: [SimulatedPlayer] = []
    /// Dials that the core waits for, by connection.
    var dials: [Int: DialID] = [:]
    /// Failed dials to report, oldest first.
    var failedDials = Ring<(DialID, LinkEnd)>()
    /// The time for which a timer event is in the queue.
    var timerAt = Instant.never
    package internal(set) var linkCount = 0
    /// When the first of its links was up.
    package internal(set) var firstLinkAt: Instant?
    /// Connections to trackers.
    var trackerSockets: [TrackerID: TrackerSocket] = [:]

    /// What it did against others, if it is there for that.
    package var acts: Int { (decider as? HostileDecider)?.acts ?? 0 }

    // What the wire showed of it.
    /// Payload and everything else that it sent over links.
    package var dataBytes: Int64 = 0
    package var controlBytes: Int64 = 0
    /// Payload that links brought it, and why others sent it away.
    package var receivedBytes: Int64 = 0
    package var goodbyes: [GoodbyeReason] = []
    /// When it first held a segment, or said so, by number from `StreamShape.firstSequence`.
    package var heldAt: [Instant?] = []
    private var finishedBefore: UInt64 = 0

    init(
        number: Int,
        host: Int,
        role: Scenario.Role,
        signer: SimulatedSigner,
        startsAt: Instant,
        decider: any Decider,
        http: HTTPPool
    ) {
        self.number = number
        self.host = host
        self.role = role
        self.startsAt = startsAt
        self.decider = decider
        self.http = http
        id = signer.id
        publicKey = signer.publicKey
    }

    /// What its decider came to hold with the last input.
    func noteFinished(at now: Instant) {
        let finished = decider.segmentsFinished
        guard finished > finishedBefore else { return }
        for number in decider.lastFinished(Int(finished - finishedBefore)) { noteHeld(number, at: now) }
        finishedBefore = finished
    }

    func noteHeld(_ sequence: UInt64, at now: Instant) {
        guard sequence >= StreamShape.firstSequence else { return }
        let place = Int(clamping: sequence - StreamShape.firstSequence)
        guard place < 1_000_000 else { return }
        while heldAt.count <= place { heldAt.append(nil) }
        if heldAt[place] == nil { heldAt[place] = now }
    }
}
