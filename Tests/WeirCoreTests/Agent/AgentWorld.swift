import Testing
import WeirCore

/// A handful of agents around one scripted origin, on a clock that the test moves: enough to see what an agent decides,
/// without the simulator's network. Messages and answers arrive after a fixed delay, in order.
final class AgentWorld {
    struct Resource {
        var bytes: [UInt8]
        var fields: [HeaderField] = [HeaderField("etag", "\"v1\"")]
        var status = 200
        /// Stop after this many body bytes and never end (`nil`: whole).
        var stallAfter: Int?
        /// Close after this many body bytes.
        var cutAfter: Int?
        /// Say nothing at all.
        var isSilent = false
        var ignoresRange = false
        var hidesLength = false
        /// How it comes: a body that is still being made has pieces further apart.
        var piece = 40_000
        var pace = Duration.milliseconds(1)
    }

    struct LogLine: Equatable {
        var url: String
        var method: String
        var range: String?
        var bytes: Int
        var agent: Int
        var at: Instant
    }

    struct PlayerAnswer {
        var status: Int?
        var fields: [HeaderField] = []
        var body: [UInt8] = []
        var isEnded = false
        var isAborted = false
    }

    enum Event {
        case input(agent: Int, Input)
        case script(() -> Void)
    }

    private(set) var now = Instant.start
    /// By time, then by order.
    private var queue: ArraySlice<(at: Instant, order: Int, event: Event)> = []
    private var order = 0
    private(set) var agents: [AgentBox] = []
    var resources: [String: Resource] = [:]
    var log: [LogLine] = []
    var delay = Duration.milliseconds(5)
    private var linkPeers: [LinkEnd2: LinkEnd2] = [:]
    private var nextLink: UInt64 = 1
    private var nextRequest: UInt64 = 1
    var answers: [RequestID: PlayerAnswer] = [:]
    var opened: [OpenID: OpenResult] = [:]
    var logs: [(agent: Int, event: LogEvent)] = []
    /// Changes or swallows messages: (sender, message, payload) → what arrives.
    var tamper: ((Int, Message, (any Payload)?) -> [(Message, (any Payload)?)])?
    var sent: [(from: Int, message: Message)] = []
    var sentAt: [(from: Int, message: Message, at: Instant)] { zip(sent, sentTimes).map { ($0.from, $0.message, $1) } }
    private var sentTimes: [Instant] = []
    /// Links whose other end is no agent but a script: what it hears.
    private var scripted: [LinkID: (Message, (any Payload)?) -> Void] = [:]
    /// Scripted ends that take nothing off the wire.
    var unread: Set<LinkID> = []
    var closed: [LinkID] = []
    enum Reply { case silent }
    /// Overrules the origin for one request.
    var onServe: ((FetchRequest) -> Reply?)?
    var headStatus: Int?
    /// Addresses of which an audit found other bytes.
    var auditedSegments: Set<String> = []
    var dialled: [PeerAddress] = []
    /// What agents have on their disks, which answer after this long.
    private(set) var disks: [Int: [DiskFileID: DiskFile]] = [:]
    var diskDelay = Duration.milliseconds(20)
    /// Overrules the disk.
    var onDisk: ((Int, DiskOrder) -> DiskAnswer?)?

    struct DiskFile {
        var chunks: [any Payload]
        var evidence: [UInt8]
        var bytes: Int { chunks.reduce(evidence.count) { $0 + $1.count } }
    }

    struct LinkEnd2: Hashable {
        var agent: Int
        var link: LinkID
    }

    final class AgentBox {
        var agent: Agent
        let signer: TestSigner
        init(_ settings: AgentSettings, _ index: Int, _ seed: UInt64, _ limits: Limits) {
            signer = TestSigner(UInt8(index))
            agent = Agent(settings: settings, limits: limits, signer: signer, seed: seed)
        }
    }

    @discardableResult
    func add(_ settings: AgentSettings = AgentSettings(), seed: UInt64 = 1, limits: Limits = Limits()) -> Int {
        agents.append(AgentBox(settings, agents.count + 1, seed &+ UInt64(agents.count), limits))
        return agents.count - 1
    }

    func schedule(_ delay: Duration, _ event: Event) {
        order += 1
        let at = now + delay
        var place = queue.endIndex
        while place > queue.startIndex, queue[place - 1].at > at { place -= 1 }
        queue.insert((at, order, event), at: place)
    }

    func after(_ delay: Duration, _ body: @escaping () -> Void) { schedule(delay, .script(body)) }

    /// Runs everything that happens within a span of time.
    func run(_ span: Duration) {
        let end = now + span
        while true {
            let timers = agents.indices.compactMap { index in agents[index].agent.nextDeadline.map { ($0, index) } }
            let next = queue.first
            let timer = timers.min { ($0.0, $0.1) < ($1.0, $1.1) }
            guard let due = [next?.at, timer?.0].compactMap({ $0 }).min(), due <= end else { break }
            now = max(now, due)
            if let next, next.at <= due {
                queue.removeFirst()
                switch next.event {
                case .input(let agent, let input): feed(agent, input)
                case .script(let body): body()
                }
            } else if let timer {
                feed(timer.1, .timer)
            }
        }
        now = max(now, end)
    }

    func feed(_ index: Int, _ input: Input) {
        agents[index].agent.handle(input, at: now)
        while let output = agents[index].agent.nextOutput() { perform(index, output) }
    }

    func link(_ left: Int, _ right: Int) {
        let ends = [
            LinkEnd2(agent: left, link: LinkID(nextLink)), LinkEnd2(agent: right, link: LinkID(nextLink + 1)),
        ]
        nextLink += 2
        linkPeers[ends[0]] = ends[1]
        linkPeers[ends[1]] = ends[0]
        feed(left, .linkUp(ends[0].link, peer(right), dial: nil))
        feed(right, .linkUp(ends[1].link, peer(left), dial: nil))
    }

    private func peer(_ index: Int) -> LinkPeer {
        LinkPeer(
            id: agents[index].signer.id,
            publicKey: agents[index].signer.publicKey,
            address: PeerAddress(host: "10.\(index).0.1", port: 4000)
        )
    }

    /// A link of one agent to a script.
    func attach(_ index: Int, _ peer: LinkPeer, hears: @escaping (Message, (any Payload)?) -> Void) -> LinkID {
        let id = LinkID(nextLink)
        nextLink += 1
        scripted[id] = hears
        feed(index, .linkUp(id, peer, dial: nil))
        return id
    }

    func cut(_ index: Int) {
        for (end, other) in linkPeers where end.agent == index {
            schedule(.zero, .input(agent: other.agent, .linkDown(other.link, .closedByPeer)))
            linkPeers[end] = nil
            linkPeers[other] = nil
        }
    }

    @discardableResult
    func open(_ agent: Int, _ url: String) -> String {
        let id = OpenID(nextRequest)
        nextRequest += 1
        feed(agent, .open(id, StreamRequest(url: url)))
        run(.milliseconds(50))
        if case .ready(_, let path) = opened[id] { return path }
        return ""
    }

    @discardableResult
    func get(_ agent: Int, _ target: String, range: String? = nil, head: Bool = false) -> RequestID {
        let id = RequestID(nextRequest)
        nextRequest += 1
        answers[id] = PlayerAnswer()
        owners[id] = agent
        feed(agent, .request(PlayerRequest(id: id, method: head ? .head : .get, target: target, range: range)))
        return id
    }

    /// Without printing either when they differ.
    func body(_ id: RequestID, is expected: [UInt8]) -> Bool { answers[id]?.body == expected }

    private var owners: [RequestID: Int] = [:]

    private func perform(_ index: Int, _ output: Output) {
        switch output {
        case .answerHead(let id, let head):
            answers[id]?.status = head.status
            answers[id]?.fields = head.fields
        case .answerBytes(let id, let bytes): answers[id]?.body += bytes
        case .answerBody(let id, let payload):
            answers[id]?.body += payload.bytes()
            schedule(.zero, .input(agent: index, .delivered(id, bytes: payload.count)))
        case .answerEnd(let id): answers[id]?.isEnded = true
        case .answerAbort(let id): answers[id]?.isAborted = true
        case .fetch(let id, let request): serve(index, id, request)
        case .cancelFetch(let id): cancelled.insert(Cancelled(agent: index, fetch: id))
        case .pauseFetch, .resumeFetch: break
        case .dial(let id, let address, _):
            dialled.append(address)
            schedule(delay, .input(agent: index, .dialFailed(id, .refused)))
        case .send(let id, let message, let payload):
            sent.append((index, message))
            sentTimes.append(now)
            if let hears = scripted[id] {
                schedule(delay, .script { hears(message, payload) })
                if let payload, !unread.contains(id) {
                    schedule(delay, .input(agent: index, .linkDrained(id, bytes: payload.count)))
                }
                return
            }
            guard let other = linkPeers[LinkEnd2(agent: index, link: id)] else { return }
            for (message, payload) in tamper?(index, message, payload) ?? [(message, payload)] {
                schedule(delay, .input(agent: other.agent, .linkMessage(other.link, message, payload: payload)))
            }
            if let payload { schedule(delay, .input(agent: index, .linkDrained(id, bytes: payload.count))) }
        case .closeLink(let id, _):
            closed.append(id)
            if scripted.removeValue(forKey: id) != nil {
                schedule(delay, .input(agent: index, .linkDown(id, .closedHere)))
                return
            }
            let end = LinkEnd2(agent: index, link: id)
            guard let other = linkPeers[end] else { return }
            linkPeers[end] = nil
            linkPeers[other] = nil
            schedule(delay, .input(agent: other.agent, .linkDown(other.link, .closedByPeer)))
            schedule(delay, .input(agent: index, .linkDown(id, .closedHere)))
        case .openTracker(let id): schedule(delay, .input(agent: index, .trackerDown(id, reason: "none here")))
        case .disk(let order): useDisk(index, order)
        case .announce, .closeTracker, .readSteering, .stopped: break
        case .opened(let id, let result): opened[id] = result
        case .log(let event): logs.append((index, event))
        }
    }

    private func useDisk(_ index: Int, _ order: DiskOrder) {
        let answer: DiskAnswer?
        switch order {
        case .write(let id, let chunks, let evidence):
            answer = onDisk?(index, order) ?? .written(id)
            if case .written = answer { disks[index, default: [:]][id] = DiskFile(chunks: chunks, evidence: evidence) }
        case .read(let id):
            let file = disks[index]?[id]
            let found = file.map { DiskAnswer.read(id, chunks: $0.chunks, evidence: $0.evidence) }
            answer = onDisk?(index, order) ?? found ?? .unreadable(id, .failed("no such file"))
        case .remove(let id):
            disks[index]?[id] = nil
            answer = nil
        }
        if let answer { schedule(diskDelay, .input(agent: index, .disk(answer))) }
    }

    private struct Cancelled: Hashable {
        var agent: Int
        var fetch: FetchID
    }
    private var cancelled: Set<Cancelled> = []

    private var urls: [Cancelled: String] = [:]

    private func serve(_ index: Int, _ id: FetchID, _ request: FetchRequest) {
        urls[Cancelled(agent: index, fetch: id)] = request.url
        if request.purpose == .audit, request.freshConnection { auditedSegments.insert(request.url) }
        if onServe?(request) != nil { return }
        let range = request.fields.first { $0.name == "range" }?.value
        guard let resource = resources[request.url] else {
            log.append(
                LogLine(
                    url: request.url,
                    method: request.method.rawValue,
                    range: range,
                    bytes: 0,
                    agent: index,
                    at: now
                )
            )
            answer(index, id, 404, [], [], Resource(bytes: []), end: .complete)
            return
        }
        var status = request.method == .head ? headStatus ?? resource.status : resource.status
        var fields = resource.fields
        var body = resource.bytes
        if let range, !resource.ignoresRange, status == 200 {
            let parts = range.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
            let first = Int(parts[0]) ?? 0
            let last = min(Int(parts[1]) ?? body.count - 1, body.count - 1)
            status = 206
            fields.append(HeaderField("content-range", "bytes \(first)-\(last)/\(body.count)"))
            body = Array(body[first...last])
        }
        if !resource.hidesLength { fields.append(HeaderField("content-length", String(body.count))) }
        if request.method == .head { body = [] }
        log.append(
            LogLine(
                url: request.url,
                method: request.method.rawValue,
                range: range,
                bytes: status < 300 ? body.count : 0,
                agent: index,
                at: now
            )
        )
        guard !resource.isSilent else { return }
        if let stall = resource.stallAfter, stall < body.count {
            answer(index, id, status, fields, Array(body[..<stall]), resource, end: nil)
        } else if let cut = resource.cutAfter, cut < body.count {
            answer(index, id, status, fields, Array(body[..<cut]), resource, end: .failed(.truncated))
        } else {
            answer(index, id, status, fields, body, resource, end: .complete)
        }
    }

    private func answer(
        _ index: Int,
        _ id: FetchID,
        _ status: Int,
        _ fields: [HeaderField],
        _ body: [UInt8],
        _ resource: Resource,
        end: FetchEnd?
    ) {
        let url = urls[Cancelled(agent: index, fetch: id)] ?? ""
        let mark = Cancelled(agent: index, fetch: id)
        after(delay) { [self] in
            guard !cancelled.contains(mark) else { return }
            feed(index, .fetchHead(id, FetchHead(status: status, fields: fields, url: url)))
        }
        let step = resource.piece
        for (place, start) in stride(from: 0, to: body.count, by: step).enumerated() {
            let part = Array(body[start..<min(body.count, start + step)])
            after(delay + resource.pace * (place + 1)) { [self] in
                guard !cancelled.contains(mark) else { return }
                feed(index, .fetchBody(id, ByteArrayPayload(part)))
            }
        }
        guard let end else { return }
        after(delay + resource.pace * (body.count / step + 2)) { [self] in
            guard !cancelled.contains(mark) else { return }
            feed(index, .fetchEnded(id, end))
        }
    }
}

/// Signatures that are good enough for agents that do not attack them.
struct TestSigner: Signer {
    let publicKey: [UInt8]

    init(_ index: UInt8) { publicKey = [4] + Array(repeating: index, count: 64) }

    var id: PeerID { PeerID(Digest.sha256(publicKey)) }
    func sign(_ digest: Digest) -> [UInt8] { Digest.sha256(publicKey + digest.bytes).bytes }
    func verify(_ signature: [UInt8], over digest: Digest, publicKey: [UInt8]) -> Bool {
        signature == Digest.sha256(publicKey + digest.bytes).bytes
    }
    func identity(ofKey publicKey: [UInt8]) -> PeerID? { PeerID(Digest.sha256(publicKey)) }
}

/// Spares failed expectations the whole world's description, which takes minutes.
extension AgentWorld: CustomTestStringConvertible {
    var testDescription: String { "the world after \(now.nanoseconds / 1_000_000) ms" }
}
