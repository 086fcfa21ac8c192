#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A TCP socket over IPv4 whose calls block: for threads that time what the kernel does and nothing else. Every call
/// gives up after twenty silent seconds.
package struct BlockingSocket: Sendable {
    package let descriptor: Int32

    /// - Parameter congestion: the algorithm (tcp(7)), nil for the system's. Sockets that it accepts inherit it.
    package init(congestion: String? = nil) throws(LabError) {
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        self.init(descriptor: socket(AF_INET, kind, 0))
        guard descriptor >= 0 else { throw LabError("no socket: \(String(cString: strerror(errno)))") }
        guard let congestion else { return }
        // TCP_CONGESTION of linux/tcp.h.
        guard setsockopt(descriptor, Int32(IPPROTO_TCP), 13, congestion, socklen_t(congestion.utf8.count)) == 0 else {
            close()
            throw LabError("the kernel has no congestion control named \(congestion)")
        }
    }

    private init(descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    }

    /// - Parameter port: 0 for any.
    /// - Returns: the port.
    package func listen(host: String, port: Int) throws(LabError) -> Int {
        var address = sockaddr_in(host: host, port: port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = address.withGeneric {
            bind(descriptor, $0, length) == 0 && SystemCalls.listen(descriptor) == 0
                && getsockname(descriptor, $0, &length) == 0
        }
        guard isListening else { throw LabError("cannot listen on \(host): \(String(cString: strerror(errno)))") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    package func connect(host: String, port: Int) throws(LabError) {
        var address = sockaddr_in(host: host, port: port)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        guard address.withGeneric({ SystemCalls.connect(descriptor, $0, length) }) == 0 else {
            throw LabError("cannot connect to \(host):\(port): \(String(cString: strerror(errno)))")
        }
    }

    /// Waits for a connection; nil when the socket was shut down.
    package func accept() -> BlockingSocket? {
        while true {
            let accepted = SystemCalls.accept(descriptor)
            if accepted >= 0 { return BlockingSocket(descriptor: accepted) }
            // Its time-out is the socket's.
            guard errno == EAGAIN || errno == EINTR else { return nil }
        }
    }

    package func send(_ bytes: UnsafeRawBufferPointer) throws(LabError) {
        var sent = 0
        while sent < bytes.count {
            let count = SystemCalls.send(descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent)
            guard count > 0 else { throw LabError("cannot send: \(String(cString: strerror(errno)))") }
            sent += count
        }
    }

    /// Fills the buffer.
    ///
    /// - Returns: false when the other end has closed before its first byte.
    package func receive(into buffer: UnsafeMutableRawBufferPointer) throws(LabError) -> Bool {
        var filled = 0
        while filled < buffer.count {
            let count = recv(descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, 0)
            if count == 0, filled == 0 { return false }
            guard count > 0 else { throw LabError("cannot receive: \(String(cString: strerror(errno)))") }
            filled += count
        }
        return true
    }

    /// Waits for something to be there.
    ///
    /// - Returns: how many bytes, 0 when the other end has closed.
    package func receiveSome(into buffer: UnsafeMutableRawBufferPointer) throws(LabError) -> Int {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        guard count >= 0 else { throw LabError("cannot receive: \(String(cString: strerror(errno)))") }
        return count
    }

    /// Wakes whoever is blocked in it.
    package func shutDown() { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }

    package func close() { SystemCalls.close(descriptor) }
}

extension sockaddr_in {
    fileprivate init(host: String, port: Int) {
        self.init()
        sin_family = sa_family_t(AF_INET)
        sin_port = UInt16(clamping: port).bigEndian
        inet_pton(AF_INET, host, &sin_addr)
    }

    fileprivate mutating func withGeneric<Value>(_ work: (UnsafeMutablePointer<sockaddr>) -> Value) -> Value {
        withUnsafeMutablePointer(to: &self) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { work($0) }
        }
    }
}

/// The C library's calls, which methods of the same names would hide.
private enum SystemCalls {
    static func listen(_ descriptor: Int32) -> Int32 {
        #if canImport(Glibc)
            Glibc.listen(descriptor, 64)
        #else
            Musl.listen(descriptor, 64)
        #endif
    }

    static func connect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
        #if canImport(Glibc)
            Glibc.connect(descriptor, address, length)
        #else
            Musl.connect(descriptor, address, length)
        #endif
    }

    static func accept(_ descriptor: Int32) -> Int32 {
        #if canImport(Glibc)
            Glibc.accept(descriptor, nil, nil)
        #else
            Musl.accept(descriptor, nil, nil)
        #endif
    }

    static func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
        #else
            Musl.send(descriptor, bytes, count, Int32(MSG_NOSIGNAL))
        #endif
    }

    static func close(_ descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #else
            _ = Musl.close(descriptor)
        #endif
    }
}
