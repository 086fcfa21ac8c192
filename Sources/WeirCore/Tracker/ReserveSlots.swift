/// The reserve search: one slot for each of the 64 values that the first bits of a member's hashed name can have, and in
/// it whoever came last.
///
/// An asker is given the occupants of its own slot and of those that differ from it in one bit, then in more: a
/// hypercube, so that few steps lead from anybody to anybody. The answer depends on nothing but the asker's prefix, costs
/// the same whatever the swarm's size, and stays right until one of those slots changes hands. The asker then takes over
/// its own slot.
package struct ReserveSlots {
    package static let bits = 6
    package static let count = 1 << bits

    /// Empty until somebody is put in.
    private var occupants: [TrackerSwarm.Reference?] = []

    package init() {}

    /// The leading bits of SHA-256 over the name: evenly spread, whatever names are chosen.
    package static func prefix(of name: TrackerPeerID) -> Int {
        Int(Digest.sha256(name.bytes).prefix >> UInt64(64 - bits))
    }

    mutating func take(_ prefix: Int, _ member: TrackerSwarm.Reference) {
        if occupants.isEmpty { occupants = Array(repeating: nil, count: ReserveSlots.count) }
        occupants[prefix] = member
    }

    /// In the order in which they are given out.
    static let order: [Int] = (0..<count).sorted { left, right in
        (left.nonzeroBitCount, left) < (right.nonzeroBitCount, right)
    }

    /// Occupants for an asker, nearest slots first, as long as `body` wants more.
    func visit(from prefix: Int, _ body: (TrackerSwarm.Reference) -> Bool) {
        guard !occupants.isEmpty else { return }
        for difference in ReserveSlots.order {
            if let occupant = occupants[prefix ^ difference], !body(occupant) { return }
        }
    }
}
