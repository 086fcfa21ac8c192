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
        let first = began
        let connection = try connect(from: conversation.path[0], to: conversation.path[1])
        defer { connection.close() }
        for (place, request) in conversation.requests.enumerated() {
            if place > 0 {
                ProcessClock.sleep(until: ProcessClock.monotonic + request.pause)
                began = ProcessClock.monotonic
            }
            let terms = Terms(
                bytes: request.bytes,
                further: Array(conversation.path.dropFirst(2)),
                pace: conversation.pace,
                breakAfter: conversation.breaks?.after
            )
            try ask(connection, terms)
            let came = try read(request.bytes, of: conversation, since: first, on: connection)
            if let breaks = conversation.breaks, came < request.bytes {
                try askRest(request.bytes - came, from: conversation.path[0], of: breaks.spare)
            }
        }
        return (conversation.measuresAll ? first : began, ProcessClock.monotonic)
    }

    /// What the asking host does with an answer.
    ///
    /// - Returns: the bytes that came before the source ended or the host gave up.
    private func read(
        _ bytes: Int,
        of conversation: MicroScene.Conversation,
        since first: Double,
        on connection: BlockingSocket
    ) throws -> Int {
        var (came, hasRested) = (0, false)
        var piece = [UInt8](repeating: 0, count: MicroScene.pieceBytes)
        while came < bytes {
            if let patience = conversation.givesUpAfter, ProcessClock.monotonic > first + patience { return came }
            let count = try piece.withUnsafeMutableBytes { try connection.receiveSome(into: $0) }
            guard count > 0 || conversation.breaks != nil else { throw LabError("an answer ended early") }
            if count == 0 { return came }
            came += count
            if let rest = conversation.rest, came >= rest.after, !hasRested {
                hasRested = true
                ProcessClock.sleep(until: ProcessClock.monotonic + rest.seconds)
            }
        }
        return came
    }

    private func askRest(_ bytes: Int, from host: Int, of spare: Int) throws {
        let connection = try connect(from: host, to: spare)
        defer { connection.close() }
        try ask(connection, Terms(bytes: bytes))
        try receive(bytes, on: connection) { _ in }
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

    /// What a request says, in decimal numbers.
    private struct Terms {
        var bytes: Int
        /// The hosts behind the one that is asked.
        var further: [Int] = []
        /// Bytes per second; nil: as fast as it goes.
        var pace: Double?
        var breakAfter: Int?

        var text: String {
            let numbers = [bytes, Int(pace ?? 0), breakAfter ?? 0] + further
            return numbers.map(String.init).joined(separator: " ")
        }

        init(bytes: Int, further: [Int] = [], pace: Double? = nil, breakAfter: Int? = nil) {
            self.bytes = bytes
            self.further = further
            self.pace = pace
            self.breakAfter = breakAfter
        }

        init?(_ text: String) {
            let numbers = text.split(separator: " ").compactMap { Int($0) }
            guard numbers.count >= 3 else { return nil }
            bytes = numbers[0]
            pace = numbers[1] > 0 ? Double(numbers[1]) : nil
            breakAfter = numbers[2] > 0 ? numbers[2] : nil
            further = Array(numbers.dropFirst(3))
        }
    }

    private func ask(_ connection: BlockingSocket, _ terms: Terms) throws {
        let text = terms.text
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
            guard var terms = Terms(String(decoding: request, as: UTF8.self)) else { return }
            if let end = terms.breakAfter, end < terms.bytes {
                return try send(end, pace: terms.pace, on: connection)
            }
            guard let next = terms.further.first else {
                try send(terms.bytes, pace: terms.pace, on: connection)
                continue
            }
            let source = try connect(from: host, to: next)
            defer { source.close() }
            terms.further.removeFirst()
            try ask(source, terms)
            try receive(terms.bytes, on: source) { try connection.send($0) }
        }
    }

    private func send(_ bytes: Int, pace: Double?, on connection: BlockingSocket) throws {
        let piece = [UInt8](repeating: 0x57, count: MicroScene.pieceBytes)
        let start = ProcessClock.monotonic
        var sent = 0
        while sent < bytes {
            if let pace {
                // Two pieces are saved up.
                ProcessClock.sleep(until: start + Double(max(0, sent - MicroScene.pieceBytes)) / pace)
            }
            let count = min(bytes - sent, piece.count)
            try piece.withUnsafeBytes { try connection.send(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            sent += count
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
