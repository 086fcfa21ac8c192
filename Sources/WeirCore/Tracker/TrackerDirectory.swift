/// Who holds which part of a recording and who plays where: short lists of members, found in constant time.
///
/// A list keeps a sample of those who came to it; entries of members that moved on are dropped when they are met.
struct TrackerDirectory {
    enum Kind: Hashable { case holders, viewers }

    struct Key: Hashable {
        var kind: Kind
        /// Of live players any rendition: they differ in how far behind they are.
        var rendition: RenditionKey
        var part: Int
    }

    /// Entries of one list. What does not fit takes the place of another one by chance.
    static let listLimit = 64
    /// Live players are listed by how far behind they are, in steps of this many milliseconds.
    static let liveStep: Int64 = 2000

    private var lists: [Key: [TrackerSwarm.Reference]] = [:]
    private var random = RandomSource(seed: 0)

    static func key(of slot: Timeslot) -> Key {
        switch slot.place {
        case .live(let age):
            Key(kind: .viewers, rendition: RenditionKey(0), part: Int(min(63, max(0, age / liveStep))))
        case .recorded(_, let part):
            Key(kind: .viewers, rendition: slot.rendition, part: part)
        }
    }

    var isEmpty: Bool { lists.isEmpty }

    mutating func move(_ member: TrackerSwarm.Reference, from old: Timeslot?, to new: Timeslot?) {
        guard let new else { return }
        let key = TrackerDirectory.key(of: new)
        if let old, TrackerDirectory.key(of: old) == key { return }
        insert(member, key)
    }

    mutating func list(_ member: TrackerSwarm.Reference, before: [HeldParts], now: [HeldParts]) {
        for held in now {
            let known = before.first { $0.rendition == held.rendition }?.parts ?? 0
            var fresh = held.parts & ~known
            while fresh != 0 {
                let part = fresh.trailingZeroBitCount
                fresh &= fresh - 1
                insert(member, Key(kind: .holders, rendition: held.rendition, part: part))
            }
        }
    }

    private mutating func insert(_ member: TrackerSwarm.Reference, _ key: Key) {
        if lists[key]?.count ?? 0 < TrackerDirectory.listLimit {
            lists[key, default: []].append(member)
        } else {
            lists[key]?[Int(random.next() % UInt64(TrackerDirectory.listLimit))] = member
        }
    }

    /// Up to `limit` entries of a list, from a place in it on.
    func entries(_ key: Key, from start: UInt64, limit: Int, _ body: (TrackerSwarm.Reference) -> Void) {
        guard let list = lists[key], !list.isEmpty else { return }
        let first = Int(start % UInt64(list.count))
        for step in 0..<min(limit, list.count) { body(list[(first + step) % list.count]) }
    }

    mutating func tidy(_ isRight: (TrackerSwarm.Reference, Key) -> Bool) {
        for key in lists.keys {
            lists[key]?.removeAll { !isRight($0, key) }
            if lists[key]?.isEmpty ?? false { lists[key] = nil }
        }
    }
}
