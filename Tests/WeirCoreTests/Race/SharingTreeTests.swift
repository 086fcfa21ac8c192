import Testing

@testable import WeirCore

@Suite("Sharing trees")
struct SharingTreeTests {
    private static let turn: UInt64 = 0x5EED

    private static func peers(_ count: Int, seed: UInt64) -> [PeerID] {
        (0..<count).map { place in
            PeerID(Digest.sha256(Array("\(seed) \(place)".utf8)))
        }
    }

    /// As the member at `place` sees it, if it is linked to those at `known`; links have their members' places as ids.
    private static func tree(_ peers: [PeerID], of place: Int, known: [Int], passesOn: Bool = true) -> SharingTree {
        SharingTree(
            others: known.map { SharingTree.Member(peer: peers[$0], link: LinkID(UInt64($0))) },
            own: peers[place],
            share: passesOn ? UploadShare.whole : nil,
            turn: turn
        )
    }

    @Test(
        "Who know the same members build one tree per chunk, with one root and few children",
        arguments: 1...5 as ClosedRange<UInt64>
    )
    func complete(seed: UInt64) {
        let peers = Self.peers(30, seed: seed)
        var passedOn = [Int](repeating: 0, count: peers.count)
        for chunk in 0..<64 {
            var children: [LinkID: Int] = [:]
            var roots = 0
            for place in peers.indices {
                let known = peers.indices.filter { $0 != place }
                let ancestors = Self.tree(peers, of: place, known: known).ancestors(of: chunk)
                // 1 + 3 + 9 + 27 members stand in four rows.
                #expect(ancestors.count <= 3)
                guard let parent = ancestors.first else {
                    roots += 1
                    continue
                }
                children[parent, default: 0] += 1
                passedOn[Int(parent.value)] += 1
            }
            #expect(roots == 1)
            #expect(children.values.allSatisfy { $0 <= SharingTree.children })
        }
        // Each passes on about as many chunks as it gets.
        #expect(passedOn.allSatisfy { $0 > 9 && $0 < 150 }, "\(passedOn)")
    }

    @Test("Whatever members know of each other, nobody waits for itself", arguments: 1...5 as ClosedRange<UInt64>)
    func partial(seed: UInt64) {
        let peers = Self.peers(40, seed: seed)
        var random = seed
        for chunk in 0..<16 {
            for place in peers.indices {
                let known = peers.indices.filter { other in
                    random = RandomSource.mix(random &+ 1)
                    return other != place && random % 3 == 0
                }
                var key = SharingTree.key(of: peers[place], for: chunk, turn: Self.turn)
                for ancestor in Self.tree(peers, of: place, known: known).ancestors(of: chunk) {
                    let next = SharingTree.key(of: peers[Int(ancestor.value)], for: chunk, turn: Self.turn)
                    #expect(next < key)
                    key = next
                }
            }
        }
    }

    @Test("Who passes nothing on asks anybody, and alone only who reads the segment")
    func leaf() {
        let peers = Self.peers(8, seed: 1)
        let leaf = Self.tree(peers, of: 0, known: Array(1..<8), passesOn: false)
        #expect((0..<32).allSatisfy { !leaf.ancestors(of: $0).isEmpty })
        #expect(Set((0..<32).compactMap { leaf.ancestors(of: $0).first }).count > 2)
        #expect((0..<32).allSatisfy { Self.tree(peers, of: 0, known: []).ancestors(of: $0).isEmpty })
    }

    @Test("Who can pass on a part only is asked for that part by all, who can pass on nothing by nobody")
    func shares() {
        let peers = Self.peers(24, seed: 2)
        func tree(_ own: Int) -> SharingTree {
            let known = peers.indices.filter { $0 != own }
            return SharingTree(
                others: known.map { SharingTree.Member(peer: peers[$0], link: LinkID(UInt64($0)), share: share($0)) },
                own: peers[own],
                share: share(own),
                turn: Self.turn
            )
        }
        func share(_ place: Int) -> UInt8 { place < 8 ? 0 : place < 16 ? 2 : UploadShare.whole }
        var asked = [Int](repeating: 0, count: peers.count)
        for chunk in 0..<200 {
            for place in peers.indices {
                if let parent = tree(place).ancestors(of: chunk).first { asked[Int(parent.value)] += 1 }
            }
        }
        #expect(asked[..<8].allSatisfy { $0 == 0 })
        let part = asked[8..<16].reduce(0, +)
        let whole = asked[16...].reduce(0, +)
        #expect(part * 2 < whole && part * 8 > whole)
        // Where nobody has an uplink that is enough, all do what they can.
        let slow = SharingTree(
            others: (1..<8).map { SharingTree.Member(peer: peers[$0], link: LinkID(UInt64($0)), share: 0) },
            own: peers[0],
            share: 0,
            turn: Self.turn
        )
        #expect((0..<32).contains { !slow.ancestors(of: $0).isEmpty })
    }
}
