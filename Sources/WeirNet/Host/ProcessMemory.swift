#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What `/proc/self/status` says about the process's memory (proc_pid_status(5)).
struct ProcessMemory: Equatable {
    var residentBytes: Int64 = 0
    var anonymousBytes: Int64 = 0

    static func now() -> ProcessMemory {
        let descriptor = open("/proc/self/status", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return ProcessMemory() }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 8192)
        let count = read(descriptor, &bytes, bytes.count)
        return ProcessMemory(status: String(decoding: bytes.prefix(max(0, count)), as: UTF8.self))
    }

    private init() {}

    init(status: String) {
        for line in status.split(separator: "\n") {
            let words = line.split { $0 == " " || $0 == "\t" }
            guard words.count == 3, words[2] == "kB", let kibibytes = Int64(words[1]) else { continue }
            switch words[0] {
            case "VmRSS:": residentBytes = kibibytes * 1024
            case "RssAnon:": anonymousBytes = kibibytes * 1024
            default: break
            }
        }
    }
}
