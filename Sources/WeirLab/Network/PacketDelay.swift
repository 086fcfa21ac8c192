import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A network device whose packets come back after a while: delay for whole packets, as a long wire has it.
///
/// What netem does, for kernels without it. The relay delays too, but it ends the connection half-way: both ends would
/// see a short round trip, and no slow start over a long one.
package final class PacketDelay: Sendable {
    private struct Waiting {
        var due: Double
        var packet: [UInt8]
    }

    private struct State {
        var waiting: [Waiting] = []
        /// Where the oldest lies; what is before has left.
        var first = 0
        var isStopped = false
    }

    private static let longest = 2048
    private let descriptor: Int32
    private let seconds: Double
    private let state = Mutex(State())
    private let arrivals = DispatchSemaphore(value: 0)

    /// A device of this name in the calling thread's network namespace.
    package init(device: String, seconds: Double) throws(LabError) {
        self.seconds = seconds
        descriptor = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw LabError("/dev/net/tun: \(String(cString: strerror(errno)))") }
        // struct ifreq: sixteen bytes of name, then flags. IFF_TUN, IFF_NO_PI and TUNSETIFF are of linux/if_tun.h.
        var request = [UInt8](repeating: 0, count: 40)
        for (place, byte) in device.utf8.prefix(15).enumerated() { request[place] = byte }
        request.withUnsafeMutableBytes { $0.storeBytes(of: 0x1001 as UInt16, toByteOffset: 16, as: UInt16.self) }
        guard ioctl(descriptor, 0x4004_54ca, &request) == 0 else {
            close(descriptor)
            throw LabError("no tun device: \(String(cString: strerror(errno)))")
        }
        let both = DispatchGroup()
        let readers = DispatchQueue(label: "weir.delay.in", qos: .userInteractive)
        let writers = DispatchQueue(label: "weir.delay.out", qos: .userInteractive)
        readers.async(group: both) { self.read() }
        writers.async(group: both) { self.write() }
        both.notify(queue: readers) { [descriptor] in close(descriptor) }
    }

    /// Lets the device go, soon.
    package func stop() { state.withLock { $0.isStopped = true } }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: PacketDelay.longest)
        while !isStopped {
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&watched, 1, 50) > 0 else { continue }
            while true {
                let count = Self.systemRead(descriptor, &buffer, buffer.count)
                guard count > 0 else { break }
                let entry = Waiting(due: ProcessClock.monotonic + seconds, packet: Array(buffer[..<count]))
                state.withLock { $0.waiting.append(entry) }
                arrivals.signal()
            }
        }
    }

    private func write() {
        while !isStopped {
            guard arrivals.wait(timeout: .now() + .milliseconds(50)) == .success else { continue }
            let next = state.withLock { state in
                let entry = state.waiting[state.first]
                state.first += 1
                if state.first == 1024 {
                    state.waiting.removeFirst(state.first)
                    state.first = 0
                }
                return entry
            }
            ProcessClock.sleep(until: next.due)
            _ = Self.systemWrite(descriptor, next.packet, next.packet.count)
        }
    }

    // The C library's calls, which methods of the same names would hide.
    private static func systemRead(_ file: Int32, _ buffer: inout [UInt8], _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.read(file, &buffer, count)
        #else
            Musl.read(file, &buffer, count)
        #endif
    }

    private static func systemWrite(_ file: Int32, _ bytes: [UInt8], _ count: Int) -> Int {
        #if canImport(Glibc)
            Glibc.write(file, bytes, count)
        #else
            Musl.write(file, bytes, count)
        #endif
    }
}
