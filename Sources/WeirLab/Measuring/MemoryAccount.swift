/// What /proc says of a process's memory and of how often it woke (proc_pid_smaps(5), proc_pid_status(5)).
package struct MemoryAccount: Sendable, Equatable {
    /// One kind of mapping.
    package struct Part: Sendable, Equatable {
        package var mappings = 0
        package var residentBytes: Int64 = 0
        package var anonymousBytes: Int64 = 0
    }

    package enum Kind: String, CaseIterable, Sendable {
        case heap = "brk heap (main malloc arena)"
        case anonymous = "mmap, anonymous (other arenas, large blocks, thread stacks)"
        case stack = "main stack"
        case program = "program file (code, constants, data)"
        case libraries = "shared libraries"
        case other = "kernel pages and other files"
    }

    package private(set) var parts: [Kind: Part] = [:]
    package var residentBytes: Int64 { parts.values.reduce(0) { $0 + $1.residentBytes } }
    package var anonymousBytes: Int64 { parts.values.reduce(0) { $0 + $1.anonymousBytes } }

    package init(process: Int32) {
        self.init(smaps: SmallProcFile.text("/proc/\(process)/smaps"))
    }

    package init(smaps: String) {
        var kind = Kind.other
        for line in smaps.split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard let first = words.first else { continue }
            if !first.hasSuffix(":") {
                kind = MemoryAccount.kind(path: words.count > 5 ? String(words[5]) : "")
                parts[kind, default: Part()].mappings += 1
            } else if words.count == 3, let kibibytes = Int64(words[1]) {
                if first == "Rss:" { parts[kind, default: Part()].residentBytes += kibibytes * 1024 }
                if first == "Anonymous:" { parts[kind, default: Part()].anonymousBytes += kibibytes * 1024 }
            }
        }
    }

    private static func kind(path: String) -> Kind {
        switch path {
        case "": .anonymous
        case "[heap]": .heap
        case "[stack]": .stack
        case _ where path.hasPrefix("[anon"): .anonymous
        case _ where path.hasPrefix("["): .other
        case _ where path.contains(".so"): .libraries
        default: .program
        }
    }

    /// The most that the process ever had resident; 0 when it is gone.
    package static func peakBytes(of process: Int32) -> Int64 {
        let status = SmallProcFile.text("/proc/\(process)/status")
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let kibibytes = line?.split(whereSeparator: { " \t".contains($0) }).dropFirst().first.flatMap { Int64($0) }
        return (kibibytes ?? 0) * 1024
    }

    /// Times that any thread of the process gave up the processor by itself: each is a wake-up later.
    package static func voluntarySwitches(of process: Int32, threads: [Int32]) -> Int {
        threads.reduce(0) { sum, thread in
            let status = SmallProcFile.text("/proc/\(process)/task/\(thread)/status")
            let line = status.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches:") }
            return sum + (line?.split(separator: "\t").last.flatMap { Int($0) } ?? 0)
        }
    }
}
