import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A network of its own, with no name and no trace: the kernel removes it when the last descriptor is closed
/// (network_namespaces(7)). Needs root, or a user namespace in which one is root.
package final class NetworkNamespace: Sendable {
    private let descriptor: Int32

    package init() throws(LabError) {
        guard let unshare = NamespaceCalls.unshare else { throw LabError("this C library cannot make namespaces") }
        let home = NamespaceCalls.openOwn()
        guard home >= 0 else { throw LabError("there is no /proc/thread-self/ns/net") }
        defer { close(home) }
        // First asked whether there is a way back: root of a user namespace may not enter its parent's network.
        guard NamespaceCalls.mayEnter(home), unshare(NamespaceCalls.network) == 0 else {
            throw LabError("no network namespace can be made: \(String(cString: strerror(errno)))")
        }
        descriptor = NamespaceCalls.openOwn()
        NamespaceCalls.enter(home)
        guard descriptor >= 0 else { throw LabError("a new network namespace cannot be opened") }
    }

    deinit { close(descriptor) }

    /// Where other programs find it while this process lives.
    package var path: String { "/proc/\(getpid())/fd/\(descriptor)" }

    /// Does something in this network: sockets and children that it makes belong there for ever.
    ///
    /// The calling thread is moved and moved back, which nobody sees because nothing in `work` can suspend.
    package func inside<Value>(_ work: () throws -> Value) throws -> Value {
        let home = NamespaceCalls.openOwn()
        guard home >= 0 else { throw LabError("there is no /proc/thread-self/ns/net") }
        NamespaceCalls.enter(descriptor)
        defer {
            NamespaceCalls.enter(home)
            close(home)
        }
        return try work()
    }

    /// Runs a program in this network to its end.
    ///
    /// - Throws: `LabError` when it cannot be started or does not end with 0.
    package func run(_ command: String) async throws {
        let arguments = command.split(separator: " ").map(String.init)
        let process: ChildProcess
        do {
            process = try inside { try ChildProcess(arguments, output: .discarded, ownGroup: true) }
        } catch {
            throw LabError("cannot start \(command): \(error)")
        }
        let code = await process.exitCode()
        guard code == 0 else { throw LabError("\(command) ended with code \(code)") }
    }

    /// Sets one of the network's own settings.
    package func set(_ setting: String, _ value: String) throws {
        let path = "/proc/sys/net/\(setting)"
        let isSet = try inside {
            let file = open(path, O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { return false }
            defer { close(file) }
            return write(file, value, value.utf8.count) == value.utf8.count
        }
        guard isSet else { throw LabError("cannot set \(path)") }
    }
}

/// unshare(2) and setns(2), which the C library's headers hide from Swift.
private enum NamespaceCalls {
    typealias Unshare = @convention(c) @Sendable (Int32) -> Int32
    typealias Enter = @convention(c) @Sendable (Int32, Int32) -> Int32

    /// CLONE_NEWNET
    static let network: Int32 = 0x4000_0000
    static let unshare = dlsym(nil, "unshare").map { unsafeBitCast($0, to: Unshare.self) }
    private static let setns = dlsym(nil, "setns").map { unsafeBitCast($0, to: Enter.self) }

    static func openOwn() -> Int32 { open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC) }

    static func mayEnter(_ descriptor: Int32) -> Bool { setns?(descriptor, network) == 0 }

    /// A thread that were left in a foreign network would connect to the wrong world from then on.
    static func enter(_ descriptor: Int32) {
        guard mayEnter(descriptor) else { preconditionFailure("a thread cannot go back to its network") }
    }
}
