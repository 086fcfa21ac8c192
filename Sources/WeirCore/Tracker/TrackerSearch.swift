/// Whom to introduce to an asker.
extension TrackerServerState {
    /// Members looked at in one search, by where they were found.
    static var holdersLooked: Int { 16 }
    static var viewersLooked: Int { 16 }
    static var strangersLooked: Int { 24 }

    /// The best few of a bounded sample: those that are listed as holding what the asker plays next, those that play
    /// near it, and some at random. One in five is chosen by chance, so that nobody is left alone and a swarm does not
    /// fall apart into circles that suit each other.
    mutating func searchFully(_ swarm: TrackerSwarm, for asker: Int32, upTo limit: Int, at now: Instant) -> [Int32] {
        let wanted = min(limit, swarm.count - 1)
        guard wanted > 0 else { return [] }
        let slot = swarm.members[Int(asker)].claims.timeslot
        let own = swarm.rankMember(asker, wanting: nil, at: now)
        var found: [(place: Int32, value: Double, holds: Bool)] = []
        found.reserveCapacity(64)
        func look(_ place: Int32) {
            let member = swarm.rankMember(place, wanting: slot, at: now)
            found.append((place, SearchRank.value(of: member, for: own, at: now), member.holdsWanted))
        }
        swarm.beginSearch(by: asker)
        if let slot { lookUp(slot, in: swarm, look) }
        for place in strangers(in: swarm, beyond: found.count, wanted: wanted) { look(place) }
        statistics.looks += Int64(found.count)
        let byChance = wanted >= 3 ? wanted / 5 + (wanted % 5 >= 3 ? 1 : 0) : 0
        // Ties go to the place, so that equal runs choose equally.
        found.sort { $0.value != $1.value ? $0.value > $1.value : $0.place < $1.place }
        // However often it was introduced already: there may be no other.
        if let holder = found.firstIndex(where: \.holds), holder >= wanted - byChance {
            found.insert(found.remove(at: holder), at: 0)
        }
        var chosen = found.prefix(wanted - byChance).map(\.place)
        var rest = found.dropFirst(wanted - byChance).map(\.place)
        while chosen.count < wanted, !rest.isEmpty {
            chosen.append(rest.remove(at: Int.random(in: 0..<rest.count, using: &random)))
        }
        return chosen
    }

    /// Members that are listed for the asker's place in the stream.
    private mutating func lookUp(_ slot: Timeslot, in swarm: TrackerSwarm, _ look: (Int32) -> Void) {
        var keys: [(key: TrackerDirectory.Key, limit: Int)] = []
        let here = TrackerDirectory.key(of: slot)
        if case .recorded(_, let part) = slot.place {
            keys.append((.init(kind: .holders, rendition: slot.rendition, part: part), Self.holdersLooked))
        }
        keys.append((here, Self.viewersLooked))
        for step in [1, -1] where (0..<HeldParts.count).contains(here.part + step) {
            var near = here
            near.part += step
            keys.append((near, Self.viewersLooked / 2))
        }
        let start = random.next()
        for (key, limit) in keys {
            swarm.directory.entries(key, from: start, limit: limit) { reference in
                guard let place = swarm.place(of: reference), swarm.belongs(place, to: key), swarm.isNew(place) else {
                    return
                }
                look(place)
            }
        }
    }

    /// Members at random, none twice and none that this search has seen: enough to choose from.
    private mutating func strangers(in swarm: TrackerSwarm, beyond found: Int, wanted: Int) -> [Int32] {
        let others = swarm.count - 1 - found
        let most = min(others, max(wanted, Self.strangersLooked))
        guard most > 0 else { return [] }
        // Few among many: drawing again is cheaper than shuffling all.
        if most * 4 < swarm.count {
            var drawn: [Int32] = []
            var draws = 0
            while drawn.count < most, draws < most * 8 {
                draws += 1
                let place = swarm.present[Int.random(in: 0..<swarm.count, using: &random)]
                if swarm.isNew(place) { drawn.append(place) }
            }
            return drawn
        }
        return Array(swarm.present.filter { swarm.isNew($0) }.shuffled(using: &random).prefix(most))
    }

    /// Constant time, whatever the swarm's size; see `ReserveSlots`.
    mutating func searchReserve(_ swarm: TrackerSwarm, for asker: Int32, upTo limit: Int) -> [Int32] {
        var chosen: [Int32] = []
        var looks: Int64 = 0
        swarm.reserve.visit(from: swarm.members[Int(asker)].prefix) { reference in
            guard chosen.count < limit else { return false }
            looks += 1
            if let place = swarm.place(of: reference), place != asker { chosen.append(place) }
            return chosen.count < limit
        }
        statistics.looks += looks
        statistics.reserveSearches += 1
        return chosen
    }
}
