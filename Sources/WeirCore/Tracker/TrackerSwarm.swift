/// The members of one swarm at a tracker, and how they are found.
///
/// A member keeps its place in `members` for as long as it is there; places of those who left are used again, and a
/// `Reference` tells the one from the other.
final class TrackerSwarm {
    struct Reference: Equatable {
        var place: Int32
        var life: UInt32
    }

    struct Member {
        var name: TrackerPeerID
        /// Nil: nobody is at this place.
        var client: TrackerClient?
        var life: UInt32
        /// Where its place stands in `present`.
        var rank: Int32 = 0
        /// Forgotten when nothing was heard by then.
        var due: Instant
        var isComplete = false
        var holdings: [HeldParts] = []
        var score = PeerScore()
        /// Leading bits of the hash of its name.
        var prefix: Int
    }

    /// What a search looks at of a member. It looks at dozens, most of which are in no cache: these few bytes lie apart
    /// from the rest, and refer to nothing.
    struct Face {
        /// Without what depends on the asker and the moment.
        var rank: SearchRank.Member
        var life: UInt32
        var isPresent = true
        /// Somebody spoke of it.
        var hasScore = false
        /// The search that last looked at it.
        var seenBy: UInt64 = 0
    }

    let id: SwarmID
    private(set) var members: [Member] = []
    /// By place, as `members`.
    private var faces: ContiguousArray<Face> = []
    private var places: [TrackerPeerID: Int32] = [:]
    private var vacant: [Int32] = []
    /// Places of members, in no order that means anything, but in the same one in every run.
    private(set) var present: [Int32] = []
    private var lives: UInt32 = 0
    private(set) var complete = 0
    private(set) var viewers = 0
    var mode = ModeRule.State()
    var directory = TrackerDirectory()
    var reserve = ReserveSlots()
    private var searches: UInt64 = 0
    /// Of the search that is under way: whom it has looked at, for whom, and where in the stream the asker is.
    var found: [Candidate] = []
    private var asker = SearchRank.Member(claims: PeerClaims(), announced: .start)
    var wantedSlot: Timeslot? { asker.claims.timeslot }
    private var searchedAt = Instant.start

    init(id: SwarmID) { self.id = id }

    var count: Int { present.count }
    var isEmpty: Bool { present.isEmpty }
    var incomplete: Int { present.count - complete }

    func place(of name: TrackerPeerID) -> Int32? { places[name] }
    func client(_ place: Int32) -> TrackerClient? { members[Int(place)].client }
    func reference(_ place: Int32) -> Reference { Reference(place: place, life: members[Int(place)].life) }

    /// The place, if whoever was meant is still there.
    func place(of reference: Reference) -> Int32? {
        let index = Int(reference.place)
        return faces[index].life == reference.life && faces[index].isPresent ? reference.place : nil
    }

    // MARK: Changes

    func add(_ name: TrackerPeerID, client: TrackerClient, at now: Instant) -> Int32 {
        lives &+= 1
        var member = Member(
            name: name,
            client: client,
            life: lives,
            due: now,
            prefix: ReserveSlots.prefix(of: name)
        )
        member.rank = Int32(present.count)
        let face = Face(
            rank: SearchRank.Member(
                claims: PeerClaims(),
                announced: now,
                host: client.hostKey,
                network: client.networkKey
            ),
            life: lives
        )
        let place: Int32
        if let free = vacant.popLast() {
            place = free
            members[Int(place)] = member
            faces[Int(place)] = face
        } else {
            place = Int32(members.count)
            members.append(member)
            faces.append(face)
        }
        present.append(place)
        places[name] = place
        return place
    }

    func remove(_ place: Int32) {
        let index = Int(place)
        guard members[index].client != nil else { return }
        complete -= members[index].isComplete ? 1 : 0
        viewers -= faces[index].rank.claims.viewers
        faces[index].isPresent = false
        places[members[index].name] = nil
        members[index].client = nil
        members[index].holdings = []
        members[index].score = PeerScore()
        let rank = Int(members[index].rank)
        let last = present.removeLast()
        if rank < present.count {
            present[rank] = last
            members[Int(last)].rank = Int32(rank)
        }
        vacant.append(place)
    }

    func move(_ place: Int32, to client: TrackerClient) {
        members[Int(place)].client = client
        faces[Int(place)].rank.host = client.hostKey
        faces[Int(place)].rank.network = client.networkKey
    }

    /// When it last announced itself.
    func announced(_ place: Int32) -> Instant { faces[Int(place)].rank.announced }

    /// What a member says of itself now.
    func update(_ place: Int32, isComplete: Bool, claims: PeerClaims?, holdings: [HeldParts], at now: Instant) {
        let index = Int(place)
        complete += (isComplete ? 1 : 0) - (members[index].isComplete ? 1 : 0)
        members[index].isComplete = isComplete
        var claims = claims ?? PeerClaims.ofStranger
        claims.viewers = min(ClaimLimits.viewers, max(0, claims.viewers))
        viewers += claims.viewers - faces[index].rank.claims.viewers
        faces[index].rank.announced = now
        faces[index].rank.introductions = 0
        let reference = reference(place)
        directory.move(reference, from: faces[index].rank.claims.timeslot, to: claims.timeslot)
        faces[index].rank.claims = claims
        guard !holdings.isEmpty || !members[index].holdings.isEmpty else { return }
        let bounded = Array(holdings.prefix(ClaimLimits.renditions))
        directory.list(reference, before: members[index].holdings, now: bounded)
        members[index].holdings = bounded
    }

    func setDue(_ place: Int32, _ due: Instant) { members[Int(place)].due = due }

    func report(_ place: Int32, good: Int, bad: Int, by network: UInt64, at now: Instant) {
        members[Int(place)].score.note(good: good, bad: bad, by: network, at: now)
        faces[Int(place)].hasScore = true
    }

    func countIntroduction(_ place: Int32) { faces[Int(place)].rank.introductions += 1 }

    // MARK: Looking

    /// Begins a search: each member is looked at once in it, the asker not at all.
    func beginSearch(for place: Int32, at now: Instant) {
        searches += 1
        faces[Int(place)].seenBy = searches
        asker = faces[Int(place)].rank
        searchedAt = now
        found.removeAll(keepingCapacity: true)
    }

    /// Whether this search sees the member for the first time.
    func isNew(_ place: Int32) -> Bool {
        if faces[Int(place)].seenBy == searches { return false }
        faces[Int(place)].seenBy = searches
        return true
    }

    /// Ranks a member for the asker.
    func look(_ place: Int32) {
        var member = faces[Int(place)].rank
        if faces[Int(place)].hasScore { member.points = members[Int(place)].score.points(at: searchedAt) }
        if let slot = wantedSlot, case .recorded(_, let part) = slot.place {
            member.holdsWanted = holds(place, slot.rendition, part)
        }
        let value = SearchRank.value(of: member, for: asker, at: searchedAt)
        found.append(Candidate(place: place, value: value, holds: member.holdsWanted))
    }

    func holds(_ place: Int32, _ rendition: RenditionKey, _ part: Int) -> Bool {
        members[Int(place)].holdings.contains { $0.rendition == rendition && $0.parts >> UInt64(part) & 1 == 1 }
    }

    /// Drops what the lists still say of those who left or moved on.
    func tidy() {
        directory.tidy { reference, key in
            guard let place = self.place(of: reference) else { return false }
            return self.belongs(place, to: key)
        }
    }

    func belongs(_ place: Int32, to key: TrackerDirectory.Key) -> Bool {
        switch key.kind {
        case .holders: holds(place, key.rendition, key.part)
        case .viewers: faces[Int(place)].rank.claims.timeslot.map { TrackerDirectory.key(of: $0) == key } ?? false
        }
    }
}

extension PeerClaims {
    /// A client that is no agent: somebody watches, probably uploads, and can only be reached by its own offers.
    static let ofStranger: PeerClaims = {
        var claims = PeerClaims()
        claims.viewers = 1
        return claims
    }()
}

/// One connection of a tracker server.
final class TrackerClient {
    let socket: TrackerSocket
    let hostKey: UInt64
    let networkKey: UInt64
    /// Where it is a member, one name per swarm.
    var memberships: [(swarm: TrackerSwarm, place: Int32)] = []

    init(socket: TrackerSocket, host: String) {
        self.socket = socket
        hostKey = FowlerNollVoHash.value(of: host.utf8)
        networkKey = FowlerNollVoHash.value(of: NetworkPrefix.enclosing(host).utf8)
    }

    func index(in swarm: SwarmID) -> Int? { memberships.firstIndex { $0.swarm.id == swarm } }
}
