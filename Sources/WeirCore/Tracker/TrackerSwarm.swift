/// The members of one swarm at a tracker.
struct TrackerSwarm: Sendable {
    struct Member: Sendable {
        var name: TrackerPeerID
        var socket: TrackerSocket
        /// The last time.
        var announced: Instant
        var isComplete: Bool
    }

    /// In no order that means anything, but in the same one in every run.
    private(set) var members: [Member] = []
    private var places: [TrackerPeerID: Int] = [:]
    private(set) var complete = 0
    var incomplete: Int { members.count - complete }

    subscript(name: TrackerPeerID) -> Member? { places[name].map { members[$0] } }

    /// - Returns: whether the member is new.
    mutating func update(_ member: Member) -> Bool {
        complete += member.isComplete ? 1 : 0
        guard let place = places[member.name] else {
            places[member.name] = members.count
            members.append(member)
            return true
        }
        complete -= members[place].isComplete ? 1 : 0
        members[place] = member
        return false
    }

    /// - Returns: whether there was such a member.
    mutating func remove(_ name: TrackerPeerID) -> Bool {
        guard let place = places.removeValue(forKey: name) else { return false }
        complete -= members[place].isComplete ? 1 : 0
        let last = members.removeLast()
        if place < members.count {
            members[place] = last
            places[last.name] = place
        }
        return true
    }

    /// Random members, each at most once.
    func others(than name: TrackerPeerID, upTo limit: Int, random: inout TrackerRandom) -> [Member] {
        let wanted = min(limit, members.count - (places[name] == nil ? 0 : 1))
        guard wanted > 0 else { return [] }
        // Few among many: drawing again is cheaper than shuffling all.
        if wanted * 4 < members.count {
            var chosen: [Int] = []
            while chosen.count < wanted {
                let place = Int.random(in: 0..<members.count, using: &random)
                if members[place].name != name, !chosen.contains(place) { chosen.append(place) }
            }
            return chosen.map { members[$0] }
        }
        return Array(members.filter { $0.name != name }.shuffled(using: &random).prefix(wanted))
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same choices for the same seed.
struct TrackerRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }
}
