import WeirCore

/// How bytes travel: the application's stream → packets at the uplink → delay → downlink → frames, and back as
/// acknowledgements.
extension Network {
    /// Hands a frame to `side`'s transport.
    package func send(_ frame: Frame, on connection: Int, side: Int) {
        let number = 2 * connection + side
        let flow = flows[number]
        guard flow.isOpen, end(connection, side) == .open else { return }
        flow.written += Int64(frame.byteCount)
        flow.frames.append((flow.written, frame))
        flow.frameEnds.append(flow.written)
        guard isHolding else { return push(flow, number: number) }
        if !flow.isHeld {
            flow.isHeld = true
            held.append(number)
        }
    }

    /// Frames wait from here on, as in a program that flushes its sockets once it has said all.
    func hold() { isHolding = true }

    /// What was handed over since `hold` leaves.
    func release() {
        isHolding = false
        guard !held.isEmpty else { return }
        for number in held { flush(flows[number], number: number) }
        held.removeAll(keepingCapacity: true)
    }

    func flush(_ flow: Flow, number: Int) {
        guard flow.isHeld else { return }
        flow.isHeld = false
        push(flow, number: number)
    }

    private func push(_ flow: Flow, number: Int) {
        emit(flow, number: number)
        acceptMore(flow, side: number % 2)
        if flow.contiguous == flow.written { deliverFrames(flow, number: number) }
        watchAcknowledgements(of: flow, number: number)
    }

    /// Has the flow called when its next acknowledgement arrives, if something waits for that.
    func watchAcknowledgements(of flow: Flow, number: Int) {
        guard !flow.isWatched, flow.waits, let first = flow.acknowledgements.first else { return }
        flow.isWatched = true
        queue.schedule(Event(.acknowledgement, number), at: first.acknowledgedAt)
    }

    /// Stops or resumes reading at `side`.
    package func setPaused(_ isPaused: Bool, on connection: Int, side: Int) {
        let number = 2 * connection + 1 - side
        let flow = flows[number]
        guard flow.isPaused != isPaused else { return }
        flow.isPaused = isPaused
        guard !isPaused else { return }
        deliverFrames(flow, number: number)
        queue.schedule(Event(.windowUpdate, number), after: flow.delay)
    }

    /// Bytes that `side` handed over and the kernel has not taken.
    package func unaccepted(on connection: Int, side: Int) -> Int {
        let flow = flows[2 * connection + side]
        return Int(flow.written - flow.accepted)
    }

    private func acceptMore(_ flow: Flow, side: Int) {
        let accepted = min(flow.written, flow.acceptable)
        guard accepted > flow.accepted else { return }
        let bytes = Int(accepted - flow.accepted)
        flow.accepted = accepted
        if end(flow.connection, side) == .open {
            report(.drained(connection: flow.connection, side: side, bytes: bytes))
        }
    }

    /// Moves what the window allows to the uplink.
    func emit(_ flow: Flow, number: Int) {
        guard flow.isOpen, !hosts[flow.sender].isDead else { return }
        let now = queue.now
        flow.settle(at: now)
        flow.restartIfIdle(at: now)
        let host = hosts[flow.sender]
        settleUplink(host)
        while true {
            let allowance = flow.allowance()
            var packet: Flow.Packet
            let isRetransmission: Bool
            if let lost = flow.retransmissions.first {
                guard allowance >= min(lost.size, Transport.segmentBytes) || flow.inFlight == 0 else { break }
                packet = lost
                isRetransmission = true
            } else {
                let pending = Int(clamping: flow.written - flow.sent)
                let size = flow.cutAtFrame(min(host.quantum, pending, allowance))
                guard size > 0, size >= min(pending, Transport.segmentBytes) else { break }
                packet = Flow.Packet(
                    offset: flow.sent,
                    size: size,
                    sentAt: now,
                    windowLimited: pending >= allowance || flow.fillsHalfTheWindow(with: size)
                )
                isRetransmission = false
            }
            if host.backlog + packet.size > host.uplinkLimit, !makeRoom(at: host, for: flow) { break }
            if isRetransmission { _ = flow.retransmissions.popFirst() } else { flow.sent += Int64(packet.size) }
            packet.sentAt = now
            enqueue(packet, of: flow, number: number, at: host)
        }
        watchAcknowledgements(of: flow, number: number)
    }

    /// The uplink's queue is full: the flow that fills most of it loses a packet. It knows at once, because the queue is
    /// its own host's, so nothing has to be sent twice.
    /// - Returns: whether a packet of `flow` may enter all the same.
    private func makeRoom(at host: Host, for flow: Flow) -> Bool {
        var largest = flow
        for number in host.connections.lazy.flatMap({ [2 * $0, 2 * $0 + 1] }) {
            let other = flows[number]
            if other.queued > largest.queued { largest = other }
        }
        largest.shrink(lossAt: largest.acknowledged)
        return largest !== flow && host.backlog < 2 * host.uplinkLimit || flow.inFlight == 0
    }

    private func enqueue(_ packet: Flow.Packet, of flow: Flow, number: Int, at host: Host) {
        flow.inFlight += packet.size
        flow.queued += packet.size
        flow.lastSent = queue.now
        let merged = !flow.uplinkQueue.isEmpty && flow.uplinkQueue.updateLast { $0.absorb(packet, limit: host.quantum) }
        if !merged { flow.uplinkQueue.append(packet) }
        host.backlog += packet.size
        // Whose packet is leaving stands in line again once it has left, behind those who came meanwhile.
        if !flow.hasTurn, host.serving != number {
            flow.hasTurn = true
            host.turns.append(number)
        }
        if host.serving < 0 { serve(host, number: flow.sender) } else { waitForUplink(of: host, number: flow.sender) }
    }

    /// Somebody waits for the packet in service to leave.
    private func waitForUplink(of host: Host, number: Int) {
        guard !host.isAwaited else { return }
        host.isAwaited = true
        queue.schedule(Event(.uplinkDone, number), at: host.uplinkFree)
    }

    /// Gives the next flow its turn at the uplink.
    func serve(_ host: Host, number: Int) {
        settleUplink(host)
        guard host.serving < 0, !host.isDead else { return }
        if host.frozenUntil > queue.now {
            queue.schedule(Event(.uplinkThaw, number), at: host.frozenUntil)
            return
        }
        while let turn = host.nextTurn() {
            let flow = flows[turn]
            if flow.hasTurn {
                flow.hasTurn = false
                flow.credit += host.quantum
            }
            guard flow.isOpen else {
                discardUplinkQueue(of: flow, at: host)
                continue
            }
            guard var packet = flow.uplinkQueue.popFirst() else { continue }
            flow.credit -= packet.size
            let bytes = Transport.wireBytes(packet.size)
            host.serving = turn
            host.servingPayload = packet.size
            host.sentBytes += Int64(bytes)
            host.uplinkFree = queue.now + transmissionTime(bytes + host.acknowledgementDebt, at: host.uplinkRate)
            host.acknowledgementDebt = 0
            packet.waited =
                (host.uplinkFree - packet.sentAt - transmissionTime(bytes, at: host.uplinkRate)).orZero
            flow.inTransit.append(packet)
            queue.schedule(Event(.arrival, turn), at: host.uplinkFree + flow.delay)
            if !flow.uplinkQueue.isEmpty || !host.turns.isEmpty { waitForUplink(of: host, number: number) }
            return
        }
    }

    private func discardUplinkQueue(of flow: Flow, at host: Host) {
        while let packet = flow.uplinkQueue.popFirst() { host.backlog -= packet.size }
        flow.queued = 0
    }

    func uplinkDone(_ host: Host, number: Int) {
        host.isAwaited = false
        packetLeft(host)
        serve(host, number: number)
    }

    /// Nobody waited for the packet in service, so that no event said when it left.
    private func settleUplink(_ host: Host) {
        if host.serving >= 0, !host.isAwaited, host.uplinkFree <= queue.now { packetLeft(host) }
    }

    private func packetLeft(_ host: Host) {
        guard host.serving >= 0 else { return }
        let number = host.serving
        let flow = flows[number]
        host.backlog -= host.servingPayload
        flow.queued -= host.servingPayload
        host.serving = -1
        // Nobody is owed anything by a flow that is done, or alone.
        if flow.uplinkQueue.isEmpty || host.turns.isEmpty { flow.credit = 0 }
        guard let next = flow.uplinkQueue.first else { return }
        if next.size <= flow.credit {
            host.continuing = number
        } else {
            flow.hasTurn = true
            host.turns.append(number)
        }
    }

    func packetArrived(_ flow: Flow, number: Int) {
        guard var packet = flow.inTransit.popFirst() else { return }
        let now = queue.now
        let host = hosts[flow.receiver]
        // What had not left its sender when that died never did.
        guard !host.isDead, now - flow.delay <= hosts[flow.sender].diedAt else { return }
        let waiting = (host.downlinkFree - now).orZero
        if waiting > host.settings.queue {
            host.lostBytes += Int64(packet.size)
            flow.losses.append(packet)
            flow.lastLoss = max(flow.lastLoss, now + flow.delay)
            queue.schedule(Event(.loss, number), at: flow.lastLoss)
            return
        }
        // The packet's last bit is here; its first came earlier, so a fast downlink adds nothing.
        let bytes = Transport.wireBytes(packet.size)
        let firstBit = now - transmissionTime(bytes, at: hosts[flow.sender].uplinkRate)
        let start = max(host.downlinkFree, firstBit)
        let done = max(now, start + transmissionTime(bytes, at: host.downlinkRate))
        packet.waited = packet.waited + (start - firstBit)
        host.downlinkFree = done
        host.receivedBytes += Int64(bytes)
        guard done > now || !flow.atDownlink.isEmpty else { return deliver(packet, flow, number: number) }
        flow.atDownlink.append(packet)
        queue.schedule(Event(.delivery, number), at: done)
    }

    func packetDelivered(_ flow: Flow, number: Int) {
        guard let packet = flow.atDownlink.popFirst(), !hosts[flow.receiver].isDead else { return }
        deliver(packet, flow, number: number)
    }

    private func deliver(_ arrived: Flow.Packet, _ flow: Flow, number: Int) {
        var packet = arrived
        flow.receive(packet)
        deliverFrames(flow, number: number)
        let bytes = Transport.acknowledgementBytes(packet.size)
        let back = hosts[flow.receiver]
        let home = hosts[flow.sender]
        // An acknowledgement waits for the packet in service only: its flow is sparse and turns are short.
        let wait = (back.uplinkFree - queue.now).orZero
        if wait > .zero { back.acknowledgementDebt += bytes }
        let sent = queue.now + wait + transmissionTime(bytes, at: back.uplinkRate)
        let queueing = (home.downlinkFree - sent - flow.delay).orZero
        if queueing > .zero { home.downlinkFree = home.downlinkFree + transmissionTime(bytes, at: home.downlinkRate) }
        packet.waited = packet.waited + queueing
        flow.lastAcknowledgement = max(flow.lastAcknowledgement, sent + flow.delay + queueing)
        packet.acknowledgedAt = flow.lastAcknowledgement
        packet.read = flow.isPaused ? flow.consumed : max(flow.consumed, flow.contiguous)
        flow.acknowledgements.append(packet)
        watchAcknowledgements(of: flow, number: number)
    }

    private func deliverFrames(_ flow: Flow, number: Int) {
        let side = 1 - number % 2
        while !flow.isPaused, let next = flow.frames.first, next.end <= flow.contiguous {
            _ = flow.frames.popFirst()
            flow.consumed = next.end
            guard end(flow.connection, side) == .open else { continue }
            report(.frame(connection: flow.connection, side: side, next.frame))
        }
    }

    func acknowledged(_ flow: Flow, number: Int) {
        flow.isWatched = false
        flow.settle(at: queue.now)
        guard flow.isOpen else { return }
        if let end = flow.endsAt, flow.acknowledged >= end {
            finish(flow, number: number)
            return
        }
        emit(flow, number: number)
        acceptMore(flow, side: number % 2)
        watchAcknowledgements(of: flow, number: number)
    }

    func packetLost(_ flow: Flow, number: Int) {
        guard let packet = flow.losses.popFirst() else { return }
        flow.inFlight -= packet.size
        guard flow.isOpen else { return }
        flow.shrink(lossAt: packet.offset)
        flow.retransmissions.append(packet)
        emit(flow, number: number)
    }

    /// Everything was delivered; the other end learns that the connection closed.
    private func finish(_ flow: Flow, number: Int) {
        flow.endsAt = nil
        flow.isOpen = false
        queue.schedule(Event(.closeArrived, flow.connection, detail: Int64(1 - number % 2)), at: queue.now)
    }
}
