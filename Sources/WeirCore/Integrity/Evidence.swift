/// What is known of a segment's true bytes, chunk by chunk.
///
/// One voucher is enough while no other list is known; every further statement must agree with the first, and what this
/// agent read from the origin itself decides between them.
struct Evidence {
    /// Who stated a chunk's digest.
    enum Witness: UInt8 {
        case none
        case voucher
        case own
    }

    private(set) var digests: [Digest?] = [] {
        didSet { knownRoot = nil }
    }
    /// How many of them are known.
    private(set) var knownCount = 0
    /// The root of the complete list and the length it was made with; nil when it must be made anew.
    private var knownRoot: (root: Digest, length: Int64)?
    private(set) var witnesses: [Witness] = []
    /// Signed statements, own and others', kept for those who ask: relayed unchanged.
    private(set) var vouches: [Vouch] = []
    private(set) var root: RootVouch?
    /// Digests in all kept statements together.
    private var statedDigests = 0

    init() {}

    /// As it was once; as many witnesses as digests.
    init(digests: [Digest?], witnesses: [Witness], vouches: [Vouch], root: RootVouch?) {
        self.digests = digests
        self.witnesses = witnesses
        self.vouches = vouches
        self.root = root
        knownCount = digests.count { $0 != nil }
        statedDigests = vouches.reduce(0) { $0 + $1.digests.count }
    }

    enum Verdict: Equatable {
        case agrees
        /// Another statement says otherwise about this chunk.
        case contradictsVoucher(chunk: Int)
        /// This agent read other bytes.
        case contradictsOwn(chunk: Int)
        /// Outside the segment, or more statements than are kept.
        case refused
    }

    mutating func resize(to count: Int) {
        guard count > digests.count else { return }
        digests.append(contentsOf: repeatElement(nil, count: count - digests.count))
        witnesses.append(contentsOf: repeatElement(.none, count: count - witnesses.count))
    }

    func digest(of chunk: Int) -> Digest? { chunk < digests.count ? digests[chunk] : nil }

    /// Takes in a verified vouch.
    mutating func add(_ vouch: Vouch, limit: Int) -> Verdict {
        let first = Int(vouch.firstChunk)
        let end = first + vouch.digests.count
        guard end <= digests.count else { return .refused }
        for (offset, digest) in vouch.digests.enumerated() {
            let chunk = first + offset
            guard let known = digests[chunk], known != digest else { continue }
            return witnesses[chunk] == .own ? .contradictsOwn(chunk: chunk) : .contradictsVoucher(chunk: chunk)
        }
        // Room for every chunk in eight statements; who states little at a time is not kept for ever.
        let isNews = vouch.digests.indices.contains { digests[first + $0] == nil }
        let hasRoom = vouches.count < limit && statedDigests + vouch.digests.count <= 8 * digests.count
        guard hasRoom || !isNews else { return .refused }
        for (offset, digest) in vouch.digests.enumerated() where digests[first + offset] == nil {
            digests[first + offset] = digest
            knownCount += 1
            witnesses[first + offset] = .voucher
        }
        // A statement that adds nothing has been compared; passing it on as well would only cost everybody bytes.
        guard isNews else { return .agrees }
        vouches.append(vouch)
        statedDigests += vouch.digests.count
        return .agrees
    }

    /// Takes in what this agent read itself. The answer is the voucher's digest when it was another one.
    mutating func addOwn(_ digest: Digest, chunk: Int) -> Digest? {
        resize(to: chunk + 1)
        let known = digests[chunk]
        let contradicted = witnesses[chunk] == .voucher && known != digest ? known : nil
        if known == nil { knownCount += 1 }
        digests[chunk] = digest
        witnesses[chunk] = .own
        return contradicted
    }

    mutating func addOwn(_ vouch: Vouch) {
        vouches.append(vouch)
    }

    mutating func setRoot(_ root: RootVouch) {
        if self.root == nil { self.root = root }
    }

    /// The first chunk that no kept statement is about.
    var firstUnvouched: Int {
        digests.indices.first { chunk in
            !vouches.contains { $0.isAbout(chunk) }
        } ?? digests.count
    }

    /// The statement of this digest for this chunk.
    func vouch(of digest: Digest, chunk: Int) -> Vouch? {
        vouches.first { $0.digest(of: chunk) == digest }
    }

    /// Forgets every statement of others: they were false or cannot be told apart.
    mutating func dropVouches() {
        vouches = []
        statedDigests = 0
        root = nil
        for chunk in digests.indices where witnesses[chunk] == .voucher {
            digests[chunk] = nil
            knownCount -= 1
            witnesses[chunk] = .none
        }
    }

    /// All digests, once every one is known.
    var completeList: [Digest]? { isComplete ? digests.compactMap { $0 } : nil }

    private var isComplete: Bool { knownCount == digests.count && knownCount > 0 }

    /// Names the whole list among those who have it; nil while a digest is unknown.
    mutating func listRoot(length: Int64) -> Digest? {
        guard isComplete else { return nil }
        if let knownRoot, knownRoot.length == length { return knownRoot.root }
        let root = Digest.root(of: digests.compactMap { $0 }, length: length)
        knownRoot = (root, length)
        return root
    }

    var isAllOwn: Bool { !witnesses.isEmpty && witnesses.allSatisfy { $0 == .own } }
    func isOwn(_ chunk: Int) -> Bool { chunk < witnesses.count && witnesses[chunk] == .own }
}

extension Vouch {
    /// What it states of a chunk, if it is about that.
    func digest(of chunk: Int) -> Digest? {
        let offset = chunk - Int(firstChunk)
        return digests.indices.contains(offset) ? digests[offset] : nil
    }
}

/// One secret random chunk of a segment that is compared with the origin before the segment is released, or one chunk
/// about which this agent's reading and a voucher differ.
///
/// Life: `drawn → asked → passed`, `asked → proving → passed` (the segment is then read from the origin alone),
/// `drawn/asked/proving → waived` (the origin does not answer).
struct Audit {
    enum Phase: Equatable {
        case drawn
        case asked(FetchID)
        /// The first answer differed from the evidence: a second one over a new connection decides who is wrong.
        case proving(FetchID)
        case passed
        case waived
    }

    let chunk: Int
    /// What the evidence says the chunk is.
    let expected: Digest
    /// The statement that says so, when known.
    let vouch: Vouch?
    var phase = Phase.drawn
    /// What the origin answered first.
    var first: Digest?
    var since: Instant

    var isOpen: Bool {
        switch phase {
        case .drawn, .asked, .proving: true
        case .passed, .waived: false
        }
    }
}
