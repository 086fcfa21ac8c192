import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Ctrl-C and SIGTERM: the first asks the program to leave, the second ends it at once.
final class Interrupts: Sendable {
    /// 128 + SIGINT, as shells report it.
    private static let abruptExitCode: Int32 = 130

    private let queue = DispatchQueue(label: "weir.interrupts")
    private let seen = Mutex(false)

    /// - Parameters:
    ///   - onFirst: called once, on a thread of its own.
    ///   - onSecond: called before the process ends at once.
    init(onFirst: @escaping @Sendable () -> Void, onSecond: @escaping @Sendable () -> Void = {}) {
        for number in [SIGINT, SIGTERM] {
            // Dispatch only observes a signal: its default action, ending the process, has to be off.
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                // The handler keeps its source alive for as long as the process runs.
                withExtendedLifetime(source) {}
                if self.isFirst() { return onFirst() }
                onSecond()
                _exit(Interrupts.abruptExitCode)
            }
            source.resume()
        }
    }

    private func isFirst() -> Bool {
        seen.withLock { seen in
            defer { seen = true }
            return !seen
        }
    }
}

/// SIGHUP: what can be read again is read again.
enum Hangups {
    private static let queue = DispatchQueue(label: "weir.hangups")

    /// - Parameter action: called for each, on a thread of its own, as long as the process runs.
    static func onEach(_ action: @escaping @Sendable () -> Void) {
        signal(SIGHUP, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: SIGHUP, queue: queue)
        source.setEventHandler {
            // The handler keeps its source alive.
            withExtendedLifetime(source) {}
            action()
        }
        source.resume()
    }
}
