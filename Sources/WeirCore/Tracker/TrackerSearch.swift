/// Whom to introduce to an asker.
extension TrackerSwarm {
    /// Members looked at in one search, by where they were found.
    private static let holdersLooked = 16
    private static let viewersLooked = 16
    private static let strangersLooked = 24

    /// A member that a search has looked at.
    struct Candidate {
        var place: Int32
        var value: Double
        var holds: Bool

        /// Ties go to the place, so that equal runs choose equally.
        func isBetter(than other: Candidate) -> Bool {
            value != other.value ? value > other.value : place < other.place
        }
    }

    /// The best few of a bounded sample: those that are listed as holding what the asker plays next, those that play
    /// near it, and some at random. One in five is chosen by chance, so that nobody is left alone and a swarm does not
    /// fall apart into circles that suit each other.
    func searchFully(
        for asker: Int32,
        upTo limit: Int,
        at now: Instant,
        using random: inout RandomSource
    ) -> (chosen: [Int32], looks: Int) {
        let wanted = min(limit, count - 1)
        guard wanted > 0 else { return ([], 0) }
        beginSearch(for: asker, at: now)
        lookUp(from: random.next())
        lookAtStrangers(wanted: wanted, using: &random)
        let byChance = wanted >= 3 ? wanted / 5 + (wanted % 5 >= 3 ? 1 : 0) : 0
        let best = min(wanted - byChance, found.count)
        bringForward(best)
        for place in best..<min(best + byChance, found.count) {
            found.swapAt(place, Int.random(in: place..<found.count, using: &random))
        }
        return (found.prefix(wanted).map(\.place), found.count)
    }

    /// Puts the best first, in order: the rest need none.
    private func bringForward(_ count: Int) {
        for place in 0..<count {
            var best = place
            for other in place + 1..<found.count where found[other].isBetter(than: found[best]) {
                best = other
            }
            found.swapAt(place, best)
        }
        // However often it was introduced already: there may be no other that holds it.
        guard !found.prefix(count).contains(where: \.holds) else { return }
        var holder: Int?
        for place in found.indices where found[place].holds {
            if holder.map({ found[place].isBetter(than: found[$0]) }) ?? true { holder = place }
        }
        if let holder { found.insert(found.remove(at: holder), at: 0) }
    }

    /// Members that are listed for the asker's place in the stream.
    private func lookUp(from start: UInt64) {
        guard let slot = wantedSlot else { return }
        let here = TrackerDirectory.key(of: slot)
        if case .recorded(_, let part) = slot.place {
            look(.init(kind: .holders, rendition: slot.rendition, part: part), start, TrackerSwarm.holdersLooked)
        }
        look(here, start, TrackerSwarm.viewersLooked)
        for step in [1, -1] where (0..<HeldParts.count).contains(here.part + step) {
            var near = here
            near.part += step
            look(near, start, TrackerSwarm.viewersLooked / 2)
        }
    }

    private func look(_ key: TrackerDirectory.Key, _ start: UInt64, _ limit: Int) {
        directory.entries(key, from: start, limit: limit) { reference in
            if let place = place(of: reference), belongs(place, to: key), isNew(place) { look(place) }
        }
    }

    /// Members at random, none twice and none that this search has seen: enough to choose from.
    private func lookAtStrangers(wanted: Int, using random: inout RandomSource) {
        let others = count - 1 - found.count
        let most = min(others, max(wanted, TrackerSwarm.strangersLooked))
        guard most > 0 else { return }
        // Few among many: drawing again is cheaper than shuffling all.
        guard most * 4 >= count else {
            var (drawn, draws) = (0, 0)
            while drawn < most, draws < most * 8 {
                draws += 1
                let place = present[Int.random(in: 0..<count, using: &random)]
                guard isNew(place) else { continue }
                look(place)
                drawn += 1
            }
            return
        }
        for place in present.filter({ isNew($0) }).shuffled(using: &random).prefix(most) { look(place) }
    }

    /// Constant time, whatever the swarm's size; see `ReserveSlots`.
    func searchReserve(for asker: Int32, upTo limit: Int) -> (chosen: [Int32], looks: Int) {
        var chosen: [Int32] = []
        var looks = 0
        reserve.visit(from: members[Int(asker)].prefix) { reference in
            guard chosen.count < limit else { return false }
            looks += 1
            if let place = place(of: reference), place != asker { chosen.append(place) }
            return chosen.count < limit
        }
        return (chosen, looks)
    }
}
