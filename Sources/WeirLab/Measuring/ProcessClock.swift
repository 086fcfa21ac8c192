import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Processor time of processes and threads, by the kernel's own clocks (clock_getcpuclockid(3)).
package enum ProcessClock {
    /// Seconds that all threads of a process have run, user and system; nil when there is no such process.
    package static func seconds(of process: Int32) -> Double? {
        var clock = clockid_t()
        guard clock_getcpuclockid(process, &clock) == 0 else { return nil }
        return seconds(clock)
    }

    /// Seconds that the calling thread has run.
    package static var ofThisThread: Double { seconds(CLOCK_THREAD_CPUTIME_ID) ?? 0 }

    /// Seconds of the monotonic clock.
    package static var monotonic: Double { seconds(CLOCK_MONOTONIC) ?? 0 }

    /// Blocks the calling thread until the monotonic clock says so.
    package static func sleep(until moment: Double) {
        let whole = moment.rounded(.down)
        var end = timespec(tv_sec: Int(whole), tv_nsec: Int((moment - whole) * 1e9))
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, nil) == EINTR {}
    }

    /// The processes that any thread of a process has started and that still run (proc_pid_task_children(5)).
    package static func children(of process: Int32) -> [Int32] {
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task")) ?? []
        return threads.flatMap { thread in
            SmallProcFile.text("/proc/\(process)/task/\(thread)/children").split(separator: " ").compactMap {
                Int32($0)
            }
        }
    }

    private static func seconds(_ clock: clockid_t) -> Double? {
        var time = timespec()
        guard clock_gettime(clock, &time) == 0 else { return nil }
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// Files under /proc, which state no length.
package enum SmallProcFile {
    /// Empty when it cannot be read; at most 1 MiB.
    package static func text(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16384)
        while all.count < 1 << 20 {
            let count = read(descriptor, &block, block.count)
            guard count > 0 else { break }
            all += block[..<count]
        }
        return String(decoding: all, as: UTF8.self)
    }
}
