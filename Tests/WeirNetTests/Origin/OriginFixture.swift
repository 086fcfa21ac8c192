import NIOCore
import NIOPosix
import WeirCore

@testable import WeirNet

/// An origin client and what it reported.
struct OriginFixture {
    let client: OriginClient
    let log: InputLog

    init(_ change: (inout OriginSettings) -> Void = { _ in }) throws {
        var settings = OriginSettings()
        change(&settings)
        let log = InputLog(loop: RawConnection.group.next())
        self.log = log
        client = try OriginClient(loop: log.loop, settings: settings) { log.record($0) }
    }

    /// Runs something on the client's loop.
    func onLoop<Value: Sendable>(_ work: @escaping @Sendable (OriginClient) -> Value) async throws -> Value {
        try await log.loop.submit { [client] in work(client) }.get()
    }

    func stop() async throws { try await log.loop.flatSubmit { [client] in client.shutDown() }.get() }

    func begin(_ number: UInt64, _ request: FetchRequest) async throws {
        try await onLoop { $0.fetch(FetchID(number), request) }
    }

    /// What was reported for one fetch, when it has ended.
    func outcome(_ number: UInt64) async throws -> FetchOutcome {
        let inputs = try await log.inputs { inputs in
            inputs.contains { if case .fetchEnded(FetchID(number), _) = $0 { true } else { false } }
        }
        return FetchOutcome(inputs, FetchID(number))
    }

    /// One fetch from its start to its end.
    func fetch(
        _ url: String,
        method: FetchRequest.Method = .get,
        fields: [HeaderField] = [],
        number: UInt64 = 1,
        purpose: FetchRequest.Purpose = .segment,
        fresh: Bool = false
    ) async throws -> FetchOutcome {
        try await begin(
            number,
            FetchRequest(method: method, url: url, fields: fields, purpose: purpose, freshConnection: fresh)
        )
        return try await outcome(number)
    }
}

/// The inputs of one fetch.
struct FetchOutcome {
    var head: FetchHead?
    var body: [UInt8] = []
    var end: FetchEnd?
    /// Inputs in an order that Input.swift does not allow.
    var disorder = false

    init(_ inputs: [Input], _ id: FetchID) {
        for input in inputs {
            switch input {
            case .fetchHead(id, let head):
                disorder = disorder || self.head != nil || end != nil
                self.head = head
            case .fetchBody(id, let payload):
                disorder = disorder || head == nil || end != nil
                body += payload.bytes()
            case .fetchEnded(id, let end):
                disorder = disorder || self.end != nil
                self.end = end
            default: break
            }
        }
    }

    var text: String { String(decoding: body, as: UTF8.self) }
}
