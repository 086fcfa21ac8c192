import WeirCore

/// An origin or an edge: answers GET and HEAD with ranges, keeps an access log, fails by script.
final class Server {
    let number: Int
    let host: Int
    let authority: String
    let shape: StreamShape
    let latency: Duration
    /// Whether answers carry the body's own digest (RFC 9530).
    let isAnchored: Bool
    private let isSplit: Bool
    private(set) var log = AccessLog()
    /// Hears of media bytes that the kernel took, as the log does.
    var onMediaSent: (Int) -> Void = { _ in }
    /// By object.
    private var anchors: [UInt64: String] = [:]
    private let faults: [OriginFault]
    private let warmUp: Instant
    private let queue: EventQueue
    private let network: Network

    init(
        number: Int,
        host: Int,
        authority: String,
        scenario: Scenario,
        faults: [OriginFault],
        queue: EventQueue,
        network: Network
    ) {
        self.number = number
        self.host = host
        self.authority = authority
        shape = scenario.shape
        latency = scenario.requestLatency
        isAnchored = scenario.isAnchored
        isSplit = scenario.isSplit
        warmUp = .start + scenario.warmUp
        self.faults = faults
        self.queue = queue
        self.network = network
        for (place, fault) in faults.enumerated() {
            queue.schedule(Event(.serverFault, number, detail: Int64(2 * place)), at: fault.from)
            queue.schedule(Event(.serverFault, number, detail: Int64(2 * place + 1)), at: fault.until)
        }
    }

    // MARK: Faults

    /// A fault begins (even) or ends (odd).
    func turn(_ detail: Int64) {
        let fault = faults[Int(detail / 2)]
        let begins = detail % 2 == 0
        switch fault.kind {
        case .silent: if begins { network.freezeUplink(of: host, until: fault.until) }
        case .refused: network.refuse(host, begins, resetting: begins)
        case .rate(let rate):
            let settings = network.settings(of: host)
            network.setRates(host, uplink: begins ? rate : settings.uplink, downlink: settings.downlink)
        case .status, .stalledBodies, .wrongBytes: break
        }
    }

    private func current(_ matches: (OriginFault.Kind) -> Bool) -> OriginFault? {
        faults.first { $0.from <= queue.now && queue.now < $0.until && matches($0.kind) }
    }

    // MARK: Requests

    func asked(_ exchange: Exchange) {
        queue.schedule(Event(.serverReady, number, detail: Int64(exchange.number)), after: latency)
    }

    func answer(_ exchange: Exchange) {
        guard exchange.state == .asked else { return }
        if let silence = current({ $0 == .silent }) {
            queue.schedule(Event(.serverReady, number, detail: Int64(exchange.number)), at: silence.until)
            return
        }
        let status = current { if case .status = $0 { true } else { false } }
        if case .status(let status)? = status?.kind {
            refuse(exchange, status: status)
        } else if let sequence = exchange.sequence {
            answerMedia(exchange, sequence)
        } else if let title = StreamShape.title(ofManifestPath: exchange.path), title >= 0, title < shape.titles {
            answerPlaylist(
                exchange,
                shape.renditions.isEmpty ? shape.playlist(at: queue.now, title: title) : shape.multivariantPlaylist
            )
        } else if let rendition = exchange.rendition, shape.renditions.indices.contains(rendition) {
            answerPlaylist(exchange, shape.playlist(at: queue.now))
        } else {
            refuse(exchange, status: 404)
        }
    }

    private func refuse(_ exchange: Exchange, status: Int) {
        let body = Array("status \(status)\n".utf8)
        let fields = [HeaderField("content-type", "text/plain"), HeaderField("content-length", "\(body.count)")]
        begin(exchange, status: status, fields: fields, bodyBytes: body.count)
        send([ByteArrayPayload(body)], to: exchange, isWhole: true)
    }

    private func answerPlaylist(_ exchange: Exchange, _ body: [UInt8]) {
        log.playlistRequests += 1
        log.playlistBytes += Int64(body.count)
        let fields = [
            HeaderField("content-type", "application/vnd.apple.mpegurl"),
            HeaderField("content-length", "\(body.count)"), HeaderField("cache-control", "no-cache"),
        ]
        begin(exchange, status: 200, fields: fields, bodyBytes: body.count)
        send([ByteArrayPayload(body)], to: exchange, isWhole: true)
    }

    private func answerMedia(_ exchange: Exchange, _ sequence: UInt64) {
        guard shape.exists(sequence, at: queue.now) else { return refuse(exchange, status: 404) }
        let rendition = exchange.rendition ?? 0
        let length = shape.bytes(of: sequence, rendition: rendition)
        let isOther = isSplit && exchange.agent % 2 == 1
        let object = isOther ? shape.otherObject(sequence) : shape.object(sequence, rendition: rendition)
        let range = exchange.request.fields.first { $0.name.lowercased() == "range" }
            .flatMap { ByteRangeText.parse($0.value, length: length) }
        var fields = [
            HeaderField("content-type", "video/mp2t"), HeaderField("accept-ranges", "bytes"),
            HeaderField("etag", "\"\(String(object, radix: 16))\""),
        ]
        if isAnchored {
            fields.append(HeaderField("repr-digest", anchor(sequence, object: object, length: length)))
        }
        let part = range ?? 0..<length
        if range != nil {
            fields.append(HeaderField("content-range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(length)"))
        }
        fields.append(HeaderField("content-length", "\(part.count)"))
        let hasBody = exchange.request.method == .get
        if hasBody { log.noteRequest(sequence, at: queue.now) }
        begin(exchange, status: range == nil ? 200 : 206, fields: fields, bodyBytes: hasBody ? part.count : 0)
        guard hasBody else { return send([], to: exchange, isWhole: true) }
        let stalls = current { $0 == .stalledBodies } != nil
        let tag: UInt64 = current { $0 == .wrongBytes } != nil ? mixed(object, 0x6c69_6172) : 0
        let end = stalls ? part.lowerBound + part.count / 2 : part.upperBound
        let pieces = stride(from: part.lowerBound, to: end, by: Chunk.byteCount).map { offset in
            SimulatedPayload(
                object: object,
                offset: Int64(offset),
                count: min(Chunk.byteCount, end - offset),
                tag: tag
            )
        }
        send(pieces, to: exchange, isWhole: !stalls)
    }

    /// The digest is of real bytes, because the core reads bodies for it.
    private func anchor(_ sequence: UInt64, object: UInt64, length: Int) -> String {
        if let known = anchors[object] { return known }
        let digest = Digest.sha256(SimulatedPayload(object: object, offset: 0, count: length).bytes())
        let text = "sha-256=:\(Base64Text.encode(digest.bytes)):"
        anchors[object] = text
        return text
    }

    private func begin(_ exchange: Exchange, status: Int, fields: [HeaderField], bodyBytes: Int) {
        exchange.head = FetchHead(status: status, fields: fields, url: exchange.request.url)
        exchange.unloggedHead = 30 + fields.reduce(0) { $0 + $1.name.count + $1.value.count + 4 }
        exchange.unloggedBody = exchange.sequence == nil || status >= 400 ? 0 : bodyBytes
        let frame = Frame(byteCount: exchange.unloggedHead, content: .head(exchange))
        network.send(frame, on: exchange.connection, side: 1)
    }

    private func send(_ body: [any Payload], to exchange: Exchange, isWhole: Bool) {
        for payload in body {
            let frame = Frame(byteCount: payload.count, content: .body(exchange, payload))
            network.send(frame, on: exchange.connection, side: 1)
        }
        if isWhole { network.send(Frame(byteCount: 0, content: .end(exchange)), on: exchange.connection, side: 1) }
    }

    /// The kernel took bytes of this exchange's answer.
    func drained(_ bytes: Int, of exchange: Exchange) {
        let head = min(bytes, exchange.unloggedHead)
        exchange.unloggedHead -= head
        let body = min(bytes - head, exchange.unloggedBody)
        guard body > 0, let sequence = exchange.sequence else { return }
        exchange.unloggedBody -= body
        let whole = shape.bytes(of: sequence, rendition: exchange.rendition ?? 0)
        log.noteBytes(body, ofWhole: whole, sequence, isStartUp: queue.now < warmUp, isCounted: exchange.isCounted)
        if exchange.isCounted { onMediaSent(body) }
    }
}
