import Dispatch
internal import FoundationEssentials
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A program that weir started: no shell, arguments as given, ended by its process id. Of this process's descriptors it has
/// the three standard ones alone.
///
/// State: running → ended, when the kernel says so; `end()` asks for it and does not wait.
package final class ChildProcess: Sendable {
    package let identifier: Int32
    private let exit: Task<Int32, Never>
    private let life: Life

    /// Whether the process id is still this child's: once it has been waited for, the kernel may give it to another.
    private final class Life: Sendable {
        let isOver = Mutex(false)
    }

    /// Where the system does not say how many there are: its usual limit.
    private static let usualDescriptors: Int32 = 1024
    private static let spareDescriptors: Int32 = 64

    /// Why a program could not be started, as the system says it.
    package struct StartFailure: Error, CustomStringConvertible {
        package var description: String
    }

    /// Where the child's standard output goes.
    package enum Output {
        /// The descriptor is the caller's, who closes it.
        case descriptor(Int32)
        case inherited
        case discarded
    }

    /// - Parameters:
    ///   - arguments: the program, searched in PATH unless it has a slash, and its arguments.
    ///   - ownGroup: true keeps a terminal's Ctrl-C away from the child, so that its parent decides when it ends.
    package init(
        _ arguments: [String],
        output: Output = .inherited,
        errors: Output = .inherited,
        ownGroup: Bool = false
    ) throws(StartFailure) {
        guard let program = arguments.first else { throw StartFailure(description: "an empty command") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        ChildProcess.redirect(1, to: output, &actions)
        ChildProcess.redirect(2, to: errors, &actions)
        ChildProcess.closeOthers(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        ChildProcess.restoreSignals(&attributes, ownGroup: ownGroup)

        var pointers = arguments.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var started: pid_t = 0
        let code = posix_spawnp(&started, program, &actions, &attributes, &pointers, environ)
        guard code == 0 else { throw StartFailure(description: String(cString: strerror(code))) }
        identifier = started
        let life = Life()
        self.life = life
        exit = Task.detached { [started] in await ChildProcess.wait(for: started, life) }
    }

    /// The exit code, or 128 + the signal that ended it, as shells count.
    package func exitCode() async -> Int32 { await exit.value }

    package var isRunning: Bool { life.isOver.withLock { !$0 } }

    /// Asks the process to end. Does nothing when it has.
    package func end() { send(SIGTERM) }

    /// Ends the process at once, from any thread.
    package func kill() { send(SIGKILL) }

    /// Any other signal: SIGSTOP, SIGCONT.
    package func send(_ signal: Int32) {
        life.isOver.withLock { isOver in
            if !isOver { _ = Signals.send(signal, to: identifier) }
        }
    }

    /// Asks the process to end, and kills it when it has not after two seconds.
    package func endAndWait() async {
        end()
        let killer = Task {
            try await Task.sleep(for: .seconds(2))
            kill()
        }
        _ = await exitCode()
        killer.cancel()
    }

    private static func redirect(_ target: Int32, to output: Output, _ actions: inout posix_spawn_file_actions_t) {
        switch output {
        case .inherited: break
        case .discarded: posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_WRONLY, 0)
        case .descriptor(let descriptor): posix_spawn_file_actions_adddup2(&actions, descriptor, target)
        }
    }

    /// A child that kept this process's sockets would hold its port when it has died, and its connections open.
    private static func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        let highest = names.compactMap { Int32($0) }.max() ?? usualDescriptors
        // Other threads may open some before the child is there; the lowest free number is taken each time. To close one
        // above the limit is an error.
        let last = min(highest + spareDescriptors, limit() - 1)
        for descriptor in stride(from: 3, through: last, by: 1) {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
    }

    private static func limit() -> Int32 {
        var limit = rlimit()
        #if canImport(Glibc)
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        #else
            getrlimit(RLIMIT_NOFILE, &limit)
        #endif
        return Int32(clamping: limit.rlim_cur)
    }

    /// What this process ignores or blocks, the child must not inherit: it could not be ended otherwise.
    private static func restoreSignals(_ attributes: inout posix_spawnattr_t, ownGroup: Bool) {
        var defaults = sigset_t()
        sigemptyset(&defaults)
        for signal in [SIGINT, SIGTERM, SIGPIPE, SIGHUP] { sigaddset(&defaults, signal) }
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        let group = ownGroup ? POSIX_SPAWN_SETPGROUP : 0
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | group))
    }

    /// `waitpid` blocks, so it has a thread of its own and none of the cooperative pool's.
    private static func wait(for identifier: pid_t, _ life: Life) async -> Int32 {
        await withCheckedContinuation { continuation in
            let queue = DispatchQueue(label: "weir.wait.\(identifier)")
            queue.async {
                // First only look, so that the id stays this child's until nobody can send to it any more.
                var information = siginfo_t()
                while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) < 0 && errno == EINTR {}
                var status: Int32 = 0
                life.isOver.withLock { isOver in
                    isOver = true
                    while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
                }
                let signal = status & 0x7f
                continuation.resume(returning: signal == 0 ? (status >> 8) & 0xff : 128 + signal)
            }
        }
    }
}

/// The C library's `kill`, which a method of that name would hide.
private enum Signals {
    static func send(_ signal: Int32, to process: Int32) -> Int32 {
        #if canImport(Glibc)
            Glibc.kill(process, signal)
        #else
            Musl.kill(process, signal)
        #endif
    }
}
