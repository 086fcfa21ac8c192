import Dispatch
package import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A reader as cheap as one can be: one blocking socket, one buffer, one thread; bodies are counted and forgotten.
/// What a server costs is measured with the same reader on every server.
package enum BlockingReader {
    /// What one reading of many answers showed.
    package struct Reading: Sendable {
        package var bodyBytes: Int64 = 0
        package var requests = 0
        /// Seconds from the request's write to the first read that returned.
        package var firstByte = Samples()
        /// Seconds of the reader's own thread.
        package var processorSeconds = 0.0
        package var seconds = 0.0
    }

    /// Reads paths one after another, over and over, on one connection that is kept; at least one.
    ///
    /// - Throws: `LabError` when an answer is not a 200 with a Content-Length, or the connection ends.
    package static func read(
        _ paths: [String],
        from address: PeerAddress,
        seconds: Double,
        bufferBytes: Int = 256 * 1024
    ) async throws -> Reading {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue(label: "weir.reader").async {
                continuation.resume(
                    with: Result { try readNow(paths, from: address, seconds: seconds, bufferBytes: bufferBytes) }
                )
            }
        }
    }

    /// Reads one path on a connection of its own.
    ///
    /// - Returns: seconds from the request to the last byte of the body.
    package static func readOnce(_ path: String, from address: PeerAddress) async throws -> Double {
        let reading = try await read([path], from: address, seconds: 0)
        return reading.seconds
    }

    private static func readNow(
        _ paths: [String],
        from address: PeerAddress,
        seconds: Double,
        bufferBytes: Int
    ) throws -> Reading {
        let descriptor = try connected(to: address)
        defer { close(descriptor) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bufferBytes, alignment: 4096)
        defer { buffer.deallocate() }
        let requests = paths.map { Array("GET \($0) HTTP/1.1\r\nHost: \(address)\r\n\r\n".utf8) }
        var reading = Reading()
        let start = ProcessClock.monotonic
        let startProcessor = ProcessClock.ofThisThread
        guard !requests.isEmpty else { return reading }
        repeat {
            let asked = ProcessClock.monotonic
            let request = requests[reading.requests % requests.count]
            guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
                throw LabError("cannot send to \(address)")
            }
            reading.bodyBytes += try answer(on: descriptor, buffer, &reading, asked: asked)
            reading.requests += 1
        } while ProcessClock.monotonic - start < seconds
        reading.seconds = ProcessClock.monotonic - start
        reading.processorSeconds = ProcessClock.ofThisThread - startProcessor
        return reading
    }

    /// - Returns: the body's bytes.
    private static func answer(
        on descriptor: Int32,
        _ buffer: UnsafeMutableRawBufferPointer,
        _ reading: inout Reading,
        asked: Double
    ) throws -> Int64 {
        var filled = 0
        var head: (length: Int64, end: Int)?
        while head == nil {
            let count = recv(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, 0)
            guard count > 0 else { throw LabError("the connection ended within a head") }
            if filled == 0 { reading.firstByte.append(ProcessClock.monotonic - asked) }
            filled += count
            head = try parse(UnsafeRawBufferPointer(rebasing: buffer[..<filled]))
        }
        guard let head else { return 0 }
        var rest = head.length - Int64(filled - head.end)
        while rest > 0 {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { throw LabError("the connection ended within a body") }
            rest -= Int64(count)
        }
        guard rest == 0 else { throw LabError("more bytes than were announced") }
        return head.length
    }

    /// - Returns: nil while the head is not whole.
    private static func parse(_ bytes: UnsafeRawBufferPointer) throws -> (length: Int64, end: Int)? {
        let limit = min(bytes.count, 8192)
        guard let end = (3..<max(3, limit)).first(where: {
            bytes[$0] == 10 && bytes[$0 - 1] == 13 && bytes[$0 - 2] == 10 && bytes[$0 - 3] == 13
        })
        else {
            guard bytes.count < 8192 else { throw LabError("a head that does not end") }
            return nil
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).lowercased().split(separator: "\r\n")
        guard lines.first?.hasPrefix("http/1.1 200") ?? false else { throw LabError("answer: \(lines.first ?? "")") }
        let length = lines.first { $0.hasPrefix("content-length: ") }.flatMap { Int64($0.dropFirst(16)) }
        guard let length else { throw LabError("an answer without Content-Length") }
        return (length, end + 1)
    }

    /// A blocking IPv4 socket that gives up after ten silent seconds.
    private static func connected(to address: PeerAddress) throws -> Int32 {
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw LabError("no socket") }
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = UInt16(clamping: address.port).bigEndian
        inet_pton(AF_INET, address.host, &target.sin_addr)
        let result = withUnsafePointer(to: &target) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            throw LabError("cannot connect to \(address)")
        }
        return descriptor
    }
}
