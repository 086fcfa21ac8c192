// Which player asks: two programs of one kind on one machine look alike.
extension Agent {
    /// So long after its first request a player may ask for a rendition that it plays together with that one.
    static let companionTime = Duration.seconds(5)

    /// The player that a request for a segment comes from.
    ///
    /// Address and user agent name a program, not a player. Of players of one program, in this order: the one that has
    /// asked on this connection; one that would ask this segment next; one that does not read this rendition yet (its
    /// sound, or another quality). Otherwise it is somebody new, or one that seeks: then a silent one is set aside,
    /// and comes back with the next request that goes on where it was. So no request has to be understood right at
    /// once, and no player ever moves another one's playhead. Who has no connection left is the first to be taken for
    /// one that seeks: it must make another one, while who has one would ask on that.
    mutating func player(
        asking number: UInt64,
        of rendition: Rendition,
        _ request: PlayerRequest
    ) -> Player {
        let stream = rendition.stream
        let kin = kin(of: request, in: stream)
        guard let connection = request.connection else {
            return kin.first ?? newPlayer(request, in: stream)
        }
        let player = kin.first { $0.has(connection) } ?? bestMatch(number, rendition, among: kin)
        if let player {
            player.isAside = false
            player.note(connection)
            return player
        }
        let seeker = setAside(kin)
        let newcomer = newPlayer(request, in: stream)
        newcomer.note(connection)
        newcomer.isAdaptive = kin.contains { $0.isAdaptive }
        newcomer.segmentsAsked = seeker?.segmentsAsked ?? 0
        if seeker == nil { leaveOtherStreams(request, stream) }
        return newcomer
    }

    private func kin(of request: PlayerRequest, in stream: Stream) -> [Player] {
        stream.players.filter { $0.host == request.remoteHost && $0.userAgent == request.userAgent }
    }

    private func bestMatch(_ number: UInt64, _ rendition: Rendition, among kin: [Player]) -> Player? {
        let mayHaveSought = kin.contains { !$0.isAside && !$0.isConnected }
        func distance(_ player: Player) -> UInt64? {
            guard let place = player.place(of: rendition.key) else { return nil }
            let head = player.playheads[place].head
            guard number <= head.next || !player.isConnected || !mayHaveSought else { return nil }
            return head.distance(to: number, reach: reach(of: head, rendition))
        }
        let fitting = kin.enumerated().compactMap { place, player in
            distance(player).map { (player: player, rank: ($0, place)) }
        }.sorted { $0.rank < $1.rank }
        if let awake = fitting.first(where: { !$0.player.isAside }) { return awake.player }
        if let exact = fitting.first, exact.rank.0 == 0 { return exact.player }
        let others = kin.filter { $0.place(of: rendition.key) == nil }
        if let latest = latest(others.filter { !$0.isAside }) { return latest }
        if let first = fitting.first { return first.player }
        // It was set aside as another began where it had just been: its sound is still to come.
        return latest(others.filter { now - $0.lastRequest < Agent.companionTime })
    }

    private func latest(_ players: [Player]) -> Player? { players.max { $0.lastRequest < $1.lastRequest } }

    /// One of these probably went to another place: the one that asked last, if nothing is being sent to it.
    private mutating func setAside(_ kin: [Player]) -> Player? {
        let silent = kin.filter { player in
            !player.isAside && !player.playheads.isEmpty && !isBeingAnswered(player)
        }
        let seeker = latest(silent.filter { !$0.isConnected }) ?? latest(silent)
        seeker?.isAside = true
        return seeker
    }

    mutating func connectionClosed(_ connection: ConnectionID) {
        for stream in streams {
            for player in stream.players { player.forget(connection) }
        }
    }

    private func isBeingAnswered(_ player: Player) -> Bool { answers.values.contains { $0.player === player } }

    /// Who begins to watch one stream has usually left the others: what was fetched ahead for it there ends. Should it
    /// be a second player of the same kind, the first one's next request undoes this.
    private mutating func leaveOtherStreams(_ request: PlayerRequest, _ here: Stream) {
        for stream in streams where stream !== here {
            let left = kin(of: request, in: stream).filter { !$0.isAside && !isBeingAnswered($0) }
            guard !left.isEmpty else { continue }
            for player in left { player.isAside = true }
            for rendition in stream.renditions { tellInterest(rendition, force: false) }
            replan(stream)
        }
    }

    private func newPlayer(_ request: PlayerRequest, in stream: Stream) -> Player {
        let player = Player(host: request.remoteHost, userAgent: request.userAgent, now: now)
        if stream.players.count >= limits.playersPerStream {
            let idlest = stream.players.indices.min { stream.players[$0].lastRequest < stream.players[$1].lastRequest }
            if let idlest { stream.players.remove(at: idlest) }
        }
        stream.players.append(player)
        return player
    }

    /// Only a player that chooses among bandwidths can be misled by the cache. Libav's demuxer never switches by
    /// itself.
    func noteAdaptive(_ answer: Answer, _ bandwidths: [Int], _ stream: Stream) {
        let request = answer.request
        guard Set(bandwidths).count >= 2, !request.userAgent.hasPrefix("Lavf/") else { return }
        let kin = kin(of: request, in: stream)
        for player in kin { player.isAdaptive = true }
        if kin.isEmpty { newPlayer(request, in: stream).isAdaptive = true }
    }
}
