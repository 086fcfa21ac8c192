import Dispatch
import Synchronization
import WeirCore
import WeirLab
import WeirSimulation

/// Runs a micro-scene on real sockets: a thread per connection, blocking calls, nothing of the agent.
final class RealScene: Sendable {
    private let scene: MicroScene
    private let world: SceneWorld
    /// Connections that serving threads may be blocked in.
    private let open = Mutex<[BlockingSocket]>([])

    private init(_ scene: MicroScene, _ world: SceneWorld) {
        self.scene = scene
        self.world = world
    }

    /// - Returns: seconds from the first beginning to the last end of what is measured.
    static func seconds(_ scene: MicroScene, in world: SceneWorld) async throws -> Double {
        let run = RealScene(scene, world)
        for (host, listener) in world.listeners.enumerated() {
            Self.thread { while let connection = listener.accept() { run.serve(connection, at: host) } }
        }
        let zero = ProcessClock.monotonic + 0.02
        let spans = try await withThrowingTaskGroup(of: (Double, Double)?.self) { group in
            for conversation in scene.conversations {
                group.addTask {
                    let span = try await Self.onThread { try run.converse(conversation, zero: zero) }
                    return conversation.isMeasured ? span : nil
                }
            }
            var spans: [(Double, Double)] = []
            for try await span in group { if let span { spans.append(span) } }
            return spans
        }
        for connection in run.open.withLock({ $0 }) { connection.shutDown() }
        return (spans.map { $0.1 }.max() ?? 0) - (spans.map { $0.0 }.min() ?? 0)
    }

    /// - Returns: when its last request began and ended.
    private func converse(_ conversation: MicroScene.Conversation, zero: Double) throws -> (Double, Double) {
        ProcessClock.sleep(until: zero + conversation.start)
        var began = ProcessClock.monotonic
        let connection = try connect(from: conversation.path[0], to: conversation.path[1])
        defer { connection.close() }
        for (place, request) in conversation.requests.enumerated() {
            if place > 0 {
                ProcessClock.sleep(until: ProcessClock.monotonic + request.pause)
                began = ProcessClock.monotonic
            }
            try ask(connection, request.bytes, further: Array(conversation.path.dropFirst(2)))
            try receive(request.bytes, on: connection) { _ in }
        }
        return (began, ProcessClock.monotonic)
    }

    private func connect(from: Int, to: Int) throws -> BlockingSocket {
        let connection = try world.socket(from)
        do {
            try connection.connect(host: world.addresses[to].host, port: world.addresses[to].port)
        } catch {
            connection.close()
            throw error
        }
        return connection
    }

    /// A request in decimal numbers: the bytes wanted, then the hosts behind the one that is asked.
    private func ask(_ connection: BlockingSocket, _ bytes: Int, further: [Int]) throws {
        let text = ([bytes] + further).map(String.init).joined(separator: " ")
        let padding = String(repeating: " ", count: MicroScene.requestBytes - text.utf8.count)
        try Array((text + padding).utf8).withUnsafeBytes { try connection.send($0) }
    }

    private func receive(
        _ bytes: Int,
        on connection: BlockingSocket,
        _ pass: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var piece = [UInt8](repeating: 0, count: MicroScene.pieceBytes)
        var rest = bytes
        while rest > 0 {
            let count = min(rest, piece.count)
            try piece.withUnsafeMutableBytes { buffer in
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
                guard try connection.receive(into: part) else { throw LabError("an answer ended early") }
                try pass(UnsafeRawBufferPointer(part))
            }
            rest -= count
        }
    }

    // MARK: Serving

    private func serve(_ connection: BlockingSocket, at host: Int) {
        open.withLock { $0.append(connection) }
        Self.thread {
            // The end of a scene ends its connections; an error that matters is the asking side's, too.
            try? self.answerAll(on: connection, at: host)
            self.open.withLock { open in open.removeAll { $0.descriptor == connection.descriptor } }
            connection.close()
        }
    }

    private func answerAll(on connection: BlockingSocket, at host: Int) throws {
        var request = [UInt8](repeating: 0, count: MicroScene.requestBytes)
        while try request.withUnsafeMutableBytes({ try connection.receive(into: $0) }) {
            let numbers = String(decoding: request, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
            guard let bytes = numbers.first else { return }
            guard let next = numbers.dropFirst().first else {
                try send(bytes, on: connection)
                continue
            }
            let source = try connect(from: host, to: next)
            defer { source.close() }
            try ask(source, bytes, further: Array(numbers.dropFirst(2)))
            try receive(bytes, on: source) { try connection.send($0) }
        }
    }

    private func send(_ bytes: Int, on connection: BlockingSocket) throws {
        let piece = [UInt8](repeating: 0x57, count: MicroScene.pieceBytes)
        var rest = bytes
        while rest > 0 {
            let count = min(rest, piece.count)
            try piece.withUnsafeBytes { try connection.send(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            rest -= count
        }
    }

    // MARK: Threads

    private static func thread(_ work: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "weir.scene", qos: .userInitiated).async(execute: work)
    }

    private static func onThread<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value
    {
        try await withCheckedThrowingContinuation { continuation in
            thread { continuation.resume(with: Result { try work() }) }
        }
    }
}
