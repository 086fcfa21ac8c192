/// Something that happens at a moment of virtual time.
///
/// Numbers only: what an event is about waits in the object that `subject` indexes, so that the queue never touches a
/// reference count and every event can be mixed into the log digest as it stands.
package struct Event: Equatable, Sendable {
    package enum Kind: UInt8, Sendable {
        // Network; `subject` is a host, a flow or a connection.
        case uplinkDone, uplinkThaw, arrival, delivery, acknowledgement, loss, windowUpdate
        case opened, connectFailed, closeArrived, lingerOver
        // Agents and what surrounds them; `subject` is an agent, a server or an entry of the script.
        case agentTimer, fetchTimer, serverReady, serverFault, localDelivery, playerTimer, start, leave, script,
            dialFailed
        case linkClosed, trackerDown
        case depart, swing, stall, sample, healed
        // Trackers; `subject` is an agent or a tracker.
        case trackerOpened, trackerCall, trackerReply, trackerSweep, trackerOutage
        /// `subject` is a viewing of a recording.
        case viewing, viewingOver
    }

    package var kind: Kind
    package var subject: Int32
    package var detail: Int64

    package init(_ kind: Kind, _ subject: Int, detail: Int64 = 0) {
        self.kind = kind
        self.subject = Int32(truncatingIfNeeded: subject)
        self.detail = detail
    }
}
