import Testing

@testable import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite("Programs that are started", .timeLimit(.minutes(1)))
struct ChildProcessTests {
    @Test("A child has none of its parent's sockets and files but its standard streams")
    func descriptors() async throws {
        // Made as libraries make theirs: not closed when a program is started.
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let far = fcntl(ends[1], F_DUPFD, 300)
        try #require(far >= 300)
        defer { for end in ends + [far] { close(end) } }
        for descriptor in ends + [far] {
            let process = try ChildProcess(["sh", "-c", "test -e /proc/$$/fd/1 && test ! -e /proc/$$/fd/\(descriptor)"])
            #expect(await process.exitCode() == 0, "\(descriptor)")
        }
    }

    @Test("What a child writes arrives, though the pipe's own descriptors are closed in it")
    func output() async throws {
        let pipe = try Pipe()
        let process = try ChildProcess(["printf", "done"], output: .descriptor(pipe.writing), errors: .discarded)
        close(pipe.writing)
        #expect(await process.exitCode() == 0)
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = read(pipe.reading, &bytes, bytes.count)
        close(pipe.reading)
        #expect(String(decoding: bytes.prefix(max(0, count)), as: UTF8.self) == "done")
    }
}
