import NIOCore
import NIOHTTP1
import WeirCore

/// One connection to the endpoint: parses requests, answers them one after another.
///
/// Legal transitions: waiting → receiving → answering → waiting; waiting, receiving or answering → closing → closed;
/// any → closed. What a client sends ahead of its answers waits in `pipelined`, and no more is read meanwhile.
final class PlayerConnection: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase { case waiting, receiving, answering, closing, closed }

    private let endpoint: Endpoint
    let id: ConnectionID
    /// The core knows of this connection.
    private(set) var hasAsked = false
    /// The endpoint is full: the first request gets 503.
    private let refusing: Bool
    private(set) var phase = Phase.waiting
    private var context: ChannelHandlerContext? {
        didSet { sink.context = context }
    }
    private var head: HTTPRequestHead?
    private var body: [UInt8] = []
    private var pipelined: [HTTPServerRequestPart] = []
    private var readWanted = false
    private var idleTimer: Scheduled<Void>?
    private var waitingSince = NIODeadline.now()

    // The answer under way.
    private(set) var request: RequestID?
    /// Who gives the answer's bytes when it is a continuous output.
    private var reader: ContinuousReader?
    private var framing: AnswerFraming?
    private var closeAfterAnswer = false
    private var ended = false
    private lazy var sink = AnswerSink { [weak self] bytes in self?.taken(bytes) }
    /// Whether the endpoint's list of connections to flush has this one.
    var awaitsFlush = false

    init(endpoint: Endpoint, id: ConnectionID, refusing: Bool) {
        self.endpoint = endpoint
        self.id = id
        self.refusing = refusing
    }

    // MARK: Channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { armIdleTimer(after: .seconds(endpoint.settings.idleSeconds)) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        if idleTimer == nil { armIdleTimer(after: .seconds(endpoint.settings.idleSeconds)) }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        phase = .closed
        idleTimer?.cancel()
        idleTimer = nil
        pipelined = []
        sink.drop()
        if let request {
            self.request = nil
            endpoint.closed(request)
        }
        let reader = reader
        self.reader = nil
        reader?.onGone()
        endpoint.removed(self)
        context.fireChannelInactive()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { reader?.onWritable() }
        context.fireChannelWritabilityChanged()
    }

    func read(context: ChannelHandlerContext) {
        // Closing needs reads: what is left unread would make the kernel reset the connection under the answer.
        if phase == .answering { readWanted = true } else { context.read() }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = unwrapInboundIn(data)
        switch phase {
        case .waiting, .receiving: receive(part)
        case .answering:
            pipelined.append(part)
            // Two parts make a request.
            if pipelined.count > endpoint.settings.pipelinedRequests * 2 {
                closeAfterAnswer = true
                pipelined = []
            }
        case .closing, .closed: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard let error = error as? HTTPParserError else { return context.close(promise: nil) }
        switch phase {
        case .answering: closeAfterAnswer = true
        case .waiting, .receiving:
            if error == .headerOverflow {
                refuse(
                    RequestRefusal(
                        status: 431,
                        error: "the request's header is too large",
                        hint:
                            "Send at most \(endpoint.settings.headerFields) fields in \(endpoint.settings.headerBytes) bytes."
                    )
                )
            } else if error != .invalidEOFState {
                refuse(
                    RequestRefusal(status: 400, error: "bad request: not HTTP/1.1", hint: "Send well-formed HTTP/1.1.")
                )
            }
        case .closing, .closed: break
        }
    }

    // MARK: Requests

    private func receive(_ part: HTTPServerRequestPart) {
        switch part {
        case .head(let head):
            phase = .receiving
            self.head = head
            body = []
            expectation(of: head)
        case .body(let buffer):
            guard body.count + buffer.readableBytes <= endpoint.settings.requestBodyBytes else {
                return refuse(
                    RequestRefusal(
                        status: 413,
                        error: "the request's body is too large",
                        hint: "Send at most \(endpoint.settings.requestBodyBytes) bytes."
                    )
                )
            }
            body += buffer.readableBytesView
        case .end:
            guard let head else { return }
            self.head = nil
            dispatch(head)
        }
    }

    /// `Expect: 100-continue` (RFC 9110 10.1.1): curl waits a second without the answer.
    private func expectation(of head: HTTPRequestHead) {
        guard head.version.minor > 0, head.headers.first(name: "expect")?.lowercased() == "100-continue" else { return }
        context?.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    }

    private func dispatch(_ head: HTTPRequestHead) {
        phase = .answering
        framing = nil
        ended = false
        sink.beginAnswer()
        answering = head
        do {
            if refusing {
                throw RequestRefusal(
                    status: 503,
                    error: "too many connections",
                    hint: "Close one of the players, or try again later."
                )
            }
            let check = try RequestCheck(head)
            let localAddress = context?.channel.localAddress?.ipAddress
            try endpoint.checkHost(check, localAddress: localAddress)
            if endpoint.isPlayerRoute(check.target) {
                guard head.method == .GET || head.method == .HEAD else {
                    throw RequestRefusal(status: 405, error: "only GET and HEAD are allowed here", hint: "Use GET.")
                }
                if endpoint.answerContinuous(check.target, isHead: head.method == .HEAD, from: self) { return }
                forward(head, check)
            } else {
                endpoint.control(check, head, body: body, from: self, localAddress: localAddress)
                body = []
            }
        } catch let refusal as RequestRefusal {
            refuse(refusal)
        } catch {
            context?.close(promise: nil)
        }
    }

    private func forward(_ head: HTTPRequestHead, _ check: RequestCheck) {
        let number = endpoint.newRequestID()
        // Set first: the core may answer at once.
        request = number
        hasAsked = true
        let ranges = head.headers["range"]
        endpoint.forward(
            PlayerRequest(
                id: number,
                method: head.method == .HEAD ? .head : .get,
                target: check.target,
                range: ranges.count == 1 ? ranges[0] : nil,
                ifRange: head.headers.first(name: "if-range"),
                userAgent: head.headers.first(name: "user-agent") ?? "",
                remoteHost: context?.channel.remoteAddress?.ipAddress ?? "",
                connection: id,
                authority: check.authority
            ),
            from: self
        )
    }

    /// The head of the request that is being answered.
    private var answering: HTTPRequestHead?

    private func refuse(_ refusal: RequestRefusal) {
        phase = .answering
        // A request that was not understood may have a rest that would be read as another one.
        closeAfterAnswer = closeAfterAnswer || refusal.status != 405
        var fields = [HeaderField("content-type", "application/json"), HeaderField("cache-control", "no-store")]
        if refusal.status == 405 { fields.append(HeaderField("allow", "GET, HEAD")) }
        answer(status: refusal.status, fields: fields, body: JSONText.error(refusal.error, hint: refusal.hint))
    }

    /// A whole answer that needs no core.
    func answer(status: Int, fields: [HeaderField], body: [UInt8]) {
        guard phase == .answering, framing == nil else { return }
        let isHead = answering?.method == .HEAD
        let length = isHead ? [HeaderField("content-length", "\(body.count)")] : []
        start(AnswerHead(status: status, fields: fields + length, bodyLength: isHead ? 0 : body.count))
        write(ByteBuffer(bytes: body))
        end()
        flush()
    }

    // MARK: Answers

    /// Whether more would leave soon.
    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Somebody else than the core gives this answer, as fast as it is taken.
    func follow(_ reader: ContinuousReader) { self.reader = reader }
    func unfollow() { reader = nil }

    /// A head alone, for HEAD.
    func answerHead(_ head: AnswerHead) {
        start(head)
        end()
        flush()
    }

    func start(_ head: AnswerHead) {
        guard phase == .answering, framing == nil else { return }
        let request = answering
        let framing = AnswerFraming(
            head,
            method: request?.method ?? .GET,
            version10: request?.version.minor == 0,
            keepAlive: (request?.isKeepAlive ?? false) && !closeAfterAnswer,
            date: endpoint.date()
        )
        self.framing = framing
        enqueue(ByteBuffer(string: framing.head), bodyBytes: 0)
    }

    func write(_ bytes: ByteBuffer) {
        guard phase == .answering, !ended, framing != nil else { return }
        var bytes = bytes
        guard let taken = framing?.take(bytes.readableBytes), taken > 0 else { return }
        if taken < bytes.readableBytes, let part = bytes.readSlice(length: taken) { bytes = part }
        if framing?.body == .chunked {
            enqueue(ByteBuffer(string: String(taken, radix: 16) + "\r\n"), bodyBytes: 0)
            enqueue(bytes, bodyBytes: taken)
            enqueue(endpoint.lineBreak, bodyBytes: 0)
        } else {
            enqueue(bytes, bodyBytes: taken)
        }
    }

    func end() {
        guard phase == .answering, !ended, let framing else { return }
        guard framing.mayEnd else { return abort() }
        ended = true
        if framing.body == .chunked { enqueue(endpoint.lastChunk, bodyBytes: 0) }
        if sink.isEmpty { finish() }
    }

    /// Closes the connection; the core hears of it as of a player that left.
    func abort() {
        if phase != .closed { context?.close(promise: nil) }
    }

    /// The core gave the answer up: it is told nothing more.
    func abandon() {
        request = nil
        abort()
    }

    /// Hands what was written to the kernel.
    func flush() {
        awaitsFlush = false
        sink.flush()
    }

    private func enqueue(_ buffer: ByteBuffer, bodyBytes: Int) {
        if sink.enqueue(buffer, bodyBytes: bodyBytes) { endpoint.needsFlush(self) }
    }

    /// The kernel took body bytes, or the last of what was written.
    private func taken(_ bytes: Int) {
        guard phase != .closed else { return }
        if bytes > 0, let request { endpoint.delivered(request, bytes: bytes) }
        if ended, sink.isEmpty { finish() }
    }

    /// The answer is with the kernel to its last byte.
    private func finish() {
        guard phase == .answering else { return }
        if let request { endpoint.finished(request) }
        request = nil
        answering = nil
        let keepAlive = framing?.keepAlive == true && !closeAfterAnswer
        framing = nil
        guard keepAlive else { return closeGently() }
        phase = .waiting
        waitingSince = .now()
        takePipelined()
        if phase != .answering, readWanted {
            readWanted = false
            context?.read()
        }
    }

    private func takePipelined() {
        // An answer may be finished before `receive` returns and come back here: the queue is always as it should be.
        while !pipelined.isEmpty, phase == .waiting || phase == .receiving { receive(pipelined.removeFirst()) }
    }

    /// Ends our direction first and lets the client read what is on its way; then closes.
    private func closeGently() {
        guard let context else { return }
        phase = .closing
        pipelined = []
        context.close(mode: .output, promise: nil)
        context.read()
        idleTimer?.cancel()
        idleTimer = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [weak self] in
            self?.context?.close(promise: nil)
        }
    }

    /// One timer for the whole connection: when it comes too early it is set again for what is left.
    private func armIdleTimer(after delay: TimeAmount) {
        guard let context else { return }
        let limit = TimeAmount.seconds(endpoint.settings.idleSeconds)
        idleTimer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            switch phase {
            case .answering: armIdleTimer(after: limit)
            case .closing, .closed: break
            case .waiting, .receiving:
                let waited = NIODeadline.now() - waitingSince
                if waited >= limit { self.context?.close(promise: nil) } else { armIdleTimer(after: limit - waited) }
            }
        }
    }
}
