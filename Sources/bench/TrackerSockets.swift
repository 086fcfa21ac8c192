import WeirCore
import WeirLab
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A `weir tracker` in a process of its own, under announces from many connections.
enum TrackerSockets {
    /// Below its burst of messages per connection.
    private static let messages = 150
    private static let idlePeers = 900

    static func measure(connections: Int) async throws -> [String] {
        let port = try await FreePort.find()
        let process = try ChildProcess(
            [try BenchProgram.weir(), "tracker", "--listen", "127.0.0.1:\(port)"],
            output: .discarded,
            errors: .inherited,
            ownGroup: true
        )
        let result: Result<[String], any Error>
        do {
            result = .success(try run(connections: connections, port: port, process: process.identifier))
        } catch {
            result = .failure(error)
        }
        await process.endAndWait()
        return try result.get()
    }

    private static func run(connections: Int, port: Int, process: Int32) throws -> [String] {
        // The program needs a moment to listen.
        var first: BlockingSocket?
        for _ in 0..<100 where first == nil {
            first = try? connect(port)
            if first == nil { ProcessClock.sleep(until: ProcessClock.monotonic + 0.05) }
        }
        guard let first else { throw LabError("weir tracker does not listen") }
        var sockets = [first]
        let before = MemoryAccount(process: process).anonymousBytes
        while sockets.count < idlePeers {
            let socket = try connect(port)
            try socket.say(TrackerLoad.message(of: sockets.count, swarm: 0, .none))
            _ = try socket.hear()
            sockets.append(socket)
        }
        let after = MemoryAccount(process: process).anonymousBytes
        let idle = Double(after - before) / Double(sockets.count - 1)
        for socket in sockets { socket.close() }
        let busy = try load(connections, port, process)
        return [
            "memory with sockets: \(idle.fixed(0)) bytes of anonymous memory per idle peer, \(sockets.count) peers"
                + " (the kernel's buffers apart)",
            busy,
        ]
    }

    /// Every connection announces with five offers, and reads what came meanwhile; offers go to the others.
    private static func load(_ connections: Int, _ port: Int, _ process: Int32) throws -> String {
        let sockets = try (0..<connections).map { _ in try connect(port) }
        let frames = (0..<connections).map { Frame.masked(TrackerLoad.message(of: $0, swarm: 0, .agent)) }
        var counters = sockets.map { FrameCounter($0) }
        let begin = ProcessClock.monotonic
        let spent = ProcessClock.seconds(of: process) ?? 0
        for _ in 0..<messages {
            for place in sockets.indices {
                try frames[place].withUnsafeBytes { bytes in try sockets[place].send(bytes) }
                counters[place].drain()
            }
        }
        // Silence for a quarter of a second is the end of it.
        var last = ProcessClock.monotonic
        var heard = 0
        while ProcessClock.monotonic - last < 0.25 {
            for place in counters.indices { counters[place].drain() }
            let now = counters.reduce(0) { $0 + $1.frames }
            if now != heard { (heard, last) = (now, ProcessClock.monotonic) }
        }
        let wall = last - begin
        let processor = (ProcessClock.seconds(of: process) ?? 0) - spent
        for socket in sockets { socket.close() }
        let count = connections * messages
        return "sockets: \(count) announces with 5 offers over \(connections) connections, \(heard) messages back:"
            + " \((Double(count) / max(processor, 1e-9)).fixed(0)) announces per second of the tracker's processor time,"
            + " \((Double(count) / wall).fixed(0)) per second beside the load generator"
    }

    private static func connect(_ port: Int) throws -> BlockingSocket {
        let socket = try BlockingSocket()
        do {
            try socket.connect(host: "127.0.0.1", port: port)
            let head =
                "GET / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
            try Array(head.utf8).withUnsafeBytes { bytes in try socket.send(bytes) }
            var end: [UInt8] = []
            while end != Array("\r\n\r\n".utf8) {
                var byte: UInt8 = 0
                let isThere = try withUnsafeMutableBytes(of: &byte) { buffer in
                    try socket.receive(into: buffer)
                }
                guard isThere else { throw LabError("the tracker does not upgrade") }
                end = Array((end + [byte]).suffix(4))
            }
            return socket
        } catch {
            socket.close()
            throw error
        }
    }

    enum Frame {
        /// A client's text frame, masked as RFC 6455 5.3 asks.
        static func masked(_ payload: [UInt8]) -> [UInt8] {
            var bytes: [UInt8] = [0x81]
            if payload.count < 126 {
                bytes.append(0x80 | UInt8(payload.count))
            } else {
                bytes += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
            }
            let key: [UInt8] = [0x11, 0x22, 0x33, 0x44]
            return bytes + key + payload.enumerated().map { $0.element ^ key[$0.offset & 3] }
        }
    }
}

extension BlockingSocket {
    fileprivate func say(_ payload: [UInt8]) throws {
        try TrackerSockets.Frame.masked(payload).withUnsafeBytes { bytes in try send(bytes) }
    }

    /// - Returns: the next frame's bytes of payload; nil when the other end has closed.
    fileprivate func hear() throws -> Int? {
        func take(_ count: Int) throws -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: count)
            let isThere = try bytes.withUnsafeMutableBytes { buffer in try receive(into: buffer) }
            return isThere ? bytes : nil
        }
        guard let head = try take(2) else { return nil }
        var length = Int(head[1] & 0x7F)
        if length == 126, let long = try take(2) { length = Int(long[0]) << 8 | Int(long[1]) }
        if length > 0 { _ = try take(length) }
        return length
    }
}

/// Counts the frames of a server on one connection, without waiting for any.
private struct FrameCounter {
    private let socket: BlockingSocket
    private(set) var frames = 0
    /// Of the frame that is arriving.
    private var head: [UInt8] = []
    private var rest = 0
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)

    init(_ socket: BlockingSocket) { self.socket = socket }

    mutating func drain() {
        while true {
            let count = buffer.withUnsafeMutableBytes { bytes in
                recv(socket.descriptor, bytes.baseAddress, bytes.count, Int32(MSG_DONTWAIT))
            }
            guard count > 0 else { return }
            var place = 0
            while place < count {
                if rest > 0 {
                    let step = min(rest, count - place)
                    rest -= step
                    place += step
                    if rest == 0 { frames += 1 }
                    continue
                }
                head.append(buffer[place])
                place += 1
                guard head.count >= 2 else { continue }
                let short = Int(head[1] & 0x7F)
                if short < 126 {
                    rest = short
                } else if head.count == 4 {
                    rest = Int(head[2]) << 8 | Int(head[3])
                } else {
                    continue
                }
                head = []
            }
        }
    }
}
