// The swarm of a stream: who is in it.
extension Agent {
    func links(of stream: Stream) -> [Link] {
        if let known = stream.members { return known }
        let members = links.filter { $0.isUp && $0.shared.contains(stream.swarm) }
        stream.members = members
        return members
    }

    /// There are peers, and media are to come from them.
    func hasSwarm(_ stream: Stream) -> Bool { stream.mode == .peers && !links(of: stream).isEmpty }

    /// Those of them that said something of a rendition.
    func speakers(of rendition: Rendition) -> [(link: Link, holdings: Holdings)] {
        if let known = rendition.speakers { return known }
        let swarm = rendition.stream.swarm
        let speakers = links(of: rendition.stream).compactMap { link in
            link.holdings(swarm, rendition.key).map { (link, $0) }
        }
        rendition.speakers = speakers
        rendition.gathering += 1
        return speakers
    }

    /// A link came, went, entered or left a swarm.
    func membershipChanged() {
        for stream in streams { stream.members = nil }
    }

    // MARK: Membership

    /// Enters the swarm when the stream is opened, and again when a player comes back after it was left.
    mutating func joinSwarm(_ stream: Stream) {
        guard stream.isOpen, !stream.isMember, !stream.isAhead else { return }
        stream.isMember = true
        for link in links where link.isUp {
            tellJoin(stream, link)
            if link.theirSwarms.values.contains(stream.swarm) { meet(link, in: stream) }
        }
        announceToTrackers(stream)
    }

    mutating func leaveSwarm(_ stream: Stream) {
        guard stream.isMember else { return }
        stream.isMember = false
        for link in links {
            if let handle = link.handle(of: stream.swarm) { emitMessage(.leave(handle: handle), to: link) }
            link.ourHandles.removeAll { $0.swarm == stream.swarm }
            link.forget(stream.swarm)
        }
        membershipChanged()
        leaveTrackers(stream)
    }

    private mutating func tellJoin(_ stream: Stream, _ link: Link) {
        guard link.handle(of: stream.swarm) == nil, link.ourHandles.count < limits.swarmsPerLink else { return }
        let handle = link.nextHandle
        link.nextHandle += 1
        link.ourHandles.append((stream.swarm, handle))
        emitMessage(.join(handle: handle, swarm: stream.swarm), to: link)
    }

    mutating func peerJoined(_ link: Link, _ handle: UInt32, _ swarm: SwarmID) {
        guard link.theirSwarms.count < limits.swarmsPerLink, link.theirSwarms[handle] == nil else { return }
        link.theirSwarms[handle] = swarm
        if let stream = stream(swarm: swarm), stream.isMember { meet(link, in: stream) }
    }

    mutating func peerLeft(_ link: Link, _ handle: UInt32) {
        guard let swarm = link.theirSwarms.removeValue(forKey: handle) else { return }
        link.forget(swarm)
        membershipChanged()
        guard let stream = stream(swarm: swarm) else { return }
        for request in link.runs.keys.sorted() {
            guard let entry = link.runs[request], entry.segment.rendition.stream === stream else { continue }
            removeRun(request, from: link)
        }
        replan(stream)
    }

    /// Both are in the swarm: tell what we hold and want.
    mutating func meet(_ link: Link, in stream: Stream) {
        guard !link.shared.contains(stream.swarm) else { return }
        tellJoin(stream, link)
        if links(of: stream).isEmpty { stream.metFirst = now }
        link.shared.append(stream.swarm)
        membershipChanged()
        if stream.named.count < limits.knownPeers { stream.named.insert(link.peer.id) }
        for rendition in stream.renditions where rendition.isShared {
            if let message = interest(of: rendition, for: link) { emitMessage(message, to: link) }
            tellHoldings(rendition, to: link)
            if isPlaying(rendition) { scheduleReload(rendition.manifest, stream, rendition) }
        }
        introduce(link, in: stream)
        replan(stream)
    }
}
