/// Down which tree each chunk of a fresh segment goes, as one of its receivers sees it.
///
/// For each chunk the receivers that pass chunks on stand in an order of their own, by a hash. The first asks the agent
/// that reads the segment, everybody else one that stands before it: nobody ever waits, directly or by way of others, for
/// itself, even where members know different ones. Where all know the same ones the reader sends each chunk once, and
/// all others pass on about as much as they receive.
struct SharingTree {
    /// To how many a receiver passes a chunk on. More make the tree flatter, but the last of them waits longer.
    static let children = 3

    struct Member {
        var peer: PeerID
        var link: LinkID
        /// Of so many eighths of the chunks it can be asked by others.
        var share = UploadShare.whole
    }

    /// Receivers that pass chunks on, without this agent.
    let others: [Member]
    let own: PeerID
    /// What this agent passes on, in eighths; nil: nothing ever, so that it stands behind all who do.
    let share: UInt8?
    /// Gives each segment other orders.
    let turn: UInt64

    /// Where a peer stands in the order of a chunk.
    static func key(of peer: PeerID, for chunk: Int, turn: UInt64) -> UInt64 {
        RandomSource.mix(peer.digest.prefix ^ RandomSource.mix(turn &+ UInt64(clamping: chunk)))
    }

    /// Whether somebody stands among those who pass a chunk on, or behind them all. Drawn from where it stands, so that
    /// everybody knows it of everybody.
    private static func passesOn(_ key: UInt64, _ share: UInt8) -> Bool {
        share >= UploadShare.whole || UInt8(RandomSource.mix(key) & 7) < share
    }

    /// Whom to ask for a chunk, the best first, then the one that this one asks, and so on; empty: who reads it.
    func ancestors(of chunk: Int) -> [LinkID] {
        let mine = SharingTree.key(of: own, for: chunk, turn: turn)
        // Where nobody has an uplink that is enough, all do what they can.
        let isShort = share ?? 0 == 0 && others.allSatisfy { $0.share == 0 }
        let passesOn = share.map { isShort || SharingTree.passesOn(mine, $0) } ?? false
        var before: [(key: UInt64, link: LinkID)] = []
        for other in others {
            let key = SharingTree.key(of: other.peer, for: chunk, turn: turn)
            guard key < mine || !passesOn, isShort || SharingTree.passesOn(key, other.share) else { continue }
            before.append((key, other.link))
        }
        guard !before.isEmpty else { return [] }
        before.sort { ($0.key, $0.link.value) < ($1.key, $1.link.value) }
        // Who passes nothing on is nobody's parent: any place among the leaves will do.
        var position = passesOn ? before.count : before.count + Int(mine % UInt64(before.count))
        var ancestors: [LinkID] = []
        while position > 0 {
            position = min(before.count - 1, (position - 1) / SharingTree.children)
            ancestors.append(before[position].link)
        }
        return ancestors
    }
}
