import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Why something cannot be read from the agent.
enum LocalFailure: Error, CustomStringConvertible {
    /// The agent is not there, or has gone.
    case unreachable
    case status(Int)
    case truncated
    case malformed
    /// The address is another server's: the worker talks to its agent alone.
    case foreign

    /// The origin says that there is no such thing.
    var isRefusal: Bool {
        if case .status(let status) = self { status == 404 || status == 410 } else { false }
    }

    var description: String {
        switch self {
        case .unreachable: "the agent does not answer"
        case .status(let status): "status \(status)"
        case .truncated: "the answer ended early"
        case .malformed: "the answer is no HTTP"
        case .foreign: "it is not to be had from the agent"
        }
    }
}

/// One answer of the agent's endpoint: a connection of its own, HTTP/1.0, so that an answer is its head, its bytes and
/// its end. Over loopback another connection costs nothing.
final class LocalAnswer {
    private static let silence = 20
    private static let mostHeadBytes = 16 * 1024

    private let descriptor: Int32
    private var ahead: ArraySlice<UInt8> = []
    /// Bytes still to come; nil: to the end of the connection.
    private var rest: Int64?

    /// Asks, and waits for the head of a good answer.
    init(_ part: WalkedSegment.Part, agent: WebURL, isGlance: Bool = false) throws(LocalFailure) {
        guard part.url.originKey == agent.originKey else { throw .foreign }
        descriptor = try LocalAnswer.connect(to: agent)
        do {
            try send(LocalAnswer.request(part, isGlance))
            try readHead()
        } catch {
            // Thrown here, no deinit would close it.
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// - Returns: how many bytes came; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(LocalFailure) -> Int {
        if let rest, rest <= 0 { return 0 }
        let wanted = rest.map { Int(min(Int64(buffer.count), $0)) } ?? buffer.count
        guard wanted > 0 else { return 0 }
        var count = 0
        if !ahead.isEmpty {
            count = min(wanted, ahead.count)
            buffer.copyBytes(from: ahead.prefix(count))
            ahead = ahead.dropFirst(count)
        } else {
            count = receive(UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
            guard count > 0 else {
                guard count == 0, rest == nil else { throw .truncated }
                return 0
            }
        }
        rest = rest.map { $0 - Int64(count) }
        return count
    }

    /// Everything.
    func readAll(upTo limit: Int) throws(LocalFailure) -> [UInt8] {
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            var count = 0
            var failure: LocalFailure?
            block.withUnsafeMutableBytes { buffer in
                do throws(LocalFailure) { count = try read(into: buffer) } catch { failure = error }
            }
            if let failure { throw failure }
            guard count > 0 else { return all }
            guard all.count + count <= limit else { throw .malformed }
            all += block[..<count]
        }
    }

    private static func request(_ part: WalkedSegment.Part, _ isGlance: Bool) -> [UInt8] {
        let target = part.url.path + (part.url.query.map { "?\($0)" } ?? "")
        let range = part.range.map { "Range: bytes=\($0.offset)-\($0.offset + $0.length - 1)\r\n" } ?? ""
        // Named like libavformat, whose reading it is: such a player is never slowed down to teach it a rate.
        let name = "User-Agent: \(isGlance ? PlayerRequest.glance : "Lavf/weir")\r\n"
        return Array("GET \(target) HTTP/1.0\r\nHost: \(part.url.authority)\r\n\(name)\(range)\r\n".utf8)
    }

    private func readHead() throws(LocalFailure) {
        var head: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = block.withUnsafeMutableBytes { receive($0) }
            guard count > 0 else { throw .unreachable }
            head += block[..<count]
            if let end = LocalAnswer.headEnd(of: head) {
                ahead = head[end...]
                return try understand(String(decoding: head[..<end], as: UTF8.self).lowercased())
            }
            guard head.count < LocalAnswer.mostHeadBytes else { throw .malformed }
        }
    }

    private static func headEnd(of bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (4...bytes.count).first { bytes[($0 - 4)..<$0].elementsEqual([13, 10, 13, 10]) }
    }

    private func understand(_ head: String) throws(LocalFailure) {
        let lines = head.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        guard words.count >= 2, words[0].hasPrefix("http/1."), let status = Int(words[1]) else { throw .malformed }
        guard status == 200 || status == 206 else { throw .status(status) }
        let field = "content-length: "
        rest = lines.first { $0.hasPrefix(field) }.flatMap { Int64($0.dropFirst(field.count)) }
    }

    // MARK: The socket

    private static func connect(to agent: WebURL) throws(LocalFailure) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        #if canImport(Glibc)
            hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            hints.ai_socktype = SOCK_STREAM
        #endif
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(agent.host, "\(agent.port)", &hints, &found) == 0, let address = found?.pointee else {
            throw .unreachable
        }
        defer { freeaddrinfo(found) }
        let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
        guard descriptor >= 0 else { throw .unreachable }
        var limit = timeval(tv_sec: silence, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        guard SystemCalls.connect(descriptor, address.ai_addr, address.ai_addrlen) == 0 else {
            close(descriptor)
            throw .unreachable
        }
        return descriptor
    }

    private func send(_ bytes: [UInt8]) throws(LocalFailure) {
        guard SystemCalls.send(descriptor, bytes) == bytes.count else { throw .unreachable }
    }

    private func receive(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count >= 0 || errno != EINTR { return count }
        }
    }
}

/// The C library's calls, which methods of the same names would hide.
private enum SystemCalls {
    static func connect(_ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr>?, _ length: socklen_t) -> Int32 {
        #if canImport(Glibc)
            Glibc.connect(descriptor, address, length)
        #else
            Musl.connect(descriptor, address, length)
        #endif
    }

    static func send(_ descriptor: Int32, _ bytes: [UInt8]) -> Int {
        #if canImport(Glibc)
            Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        #else
            Musl.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        #endif
    }
}
