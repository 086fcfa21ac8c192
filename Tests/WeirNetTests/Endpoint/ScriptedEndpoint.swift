import NIOCore
import NIOPosix
import WeirCore

@testable import WeirNet

/// An endpoint whose core is a closure of the test.
///
/// Sendable, because everything mutable is touched on the event loop only.
final class ScriptedEndpoint: @unchecked Sendable {
    let loop: any EventLoop = RawConnection.group.next()
    private(set) var endpoint: Endpoint!
    private(set) var port = 0
    private let log = InputLog(loop: RawConnection.group.next())
    private let script: @Sendable (PlayerRequest, Endpoint) -> Void
    let agent = ScriptedAgent()

    static func start(
        script: @escaping @Sendable (PlayerRequest, Endpoint) -> Void = { _, _ in }
    ) async throws -> ScriptedEndpoint {
        try await start(settings: { _ in }, script)
    }

    static func start(
        settings change: (inout EndpointSettings) -> Void,
        _ script: @escaping @Sendable (PlayerRequest, Endpoint) -> Void = { _, _ in }
    ) async throws -> ScriptedEndpoint {
        let scripted = ScriptedEndpoint(script: script)
        var settings = EndpointSettings(token: "secret")
        change(&settings)
        scripted.endpoint = Endpoint(loop: scripted.loop, settings: settings) { [weak scripted] in scripted?.take($0) }
        scripted.endpoint.agent = scripted.agent
        scripted.port = try await scripted.endpoint.bind().get()
        return scripted
    }

    private init(script: @escaping @Sendable (PlayerRequest, Endpoint) -> Void) {
        self.script = script
    }

    func stop() async throws { try await loop.flatSubmit { [endpoint] in endpoint!.shutDown() }.get() }

    /// Performs outputs as a host would: on the loop, with a flush at the end.
    func perform(_ outputs: @escaping @Sendable (Endpoint) -> Void) async throws {
        try await loop.submit { [self] in
            outputs(endpoint)
            endpoint.flush()
        }.get()
    }

    func inputs(until condition: @escaping @Sendable ([Input]) -> Bool) async throws -> [Input] {
        try await log.inputs(until: condition)
    }

    private func take(_ input: Input) {
        log.record(input)
        if case .request(let request) = input {
            script(request, endpoint)
            endpoint.flush()
        }
    }
}

extension Endpoint {
    /// A whole answer in one drain.
    func answer(_ id: RequestID, status: Int = 200, fields: [HeaderField] = [], _ body: [UInt8]) {
        answerHead(id, AnswerHead(status: status, fields: fields, bodyLength: body.count))
        answerBytes(id, body)
        answerEnd(id)
    }
}

/// An agent that answers control calls from fixed values.
///
/// Sendable, because it is used on the event loop only.
final class ScriptedAgent: ControlledAgent, @unchecked Sendable {
    var result = OpenResult.ready(StreamID("abc"), path: "/s/abc/index.m3u8")
    private(set) var opened: [StreamRequest] = []
    private(set) var closed: [StreamID] = []
    var captures: Captures?
    var windowSeconds = 0.0

    func statistics() -> AgentStatistics {
        var statistics = AgentStatistics()
        statistics.delivered_bytes = 1000
        statistics.offload_ratio = 0.75
        return statistics
    }

    func sessions() -> [SessionReport] {
        var session = SessionReport(
            id: "abc",
            url: "https://origin.example/a.m3u8",
            path: "/s/abc/index.m3u8",
            swarm: "00",
            live: true,
            players: 1,
            buffer_seconds: 4,
            stalls: 0,
            peers: 2
        )
        session.window_seconds = windowSeconds
        return [session]
    }

    func segments(of stream: StreamID) -> [SegmentReport] { [] }
    func peers() -> [PeerReport] { [] }

    func open(_ request: StreamRequest, then answer: @escaping @Sendable (OpenResult) -> Void) {
        opened.append(request)
        answer(result)
    }

    func close(_ stream: StreamID) { closed.append(stream) }
}
