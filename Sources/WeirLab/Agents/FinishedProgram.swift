import Dispatch
package import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A program that ran to its end, and what it said.
package struct FinishedProgram: Sendable {
    package var exitCode: Int32
    package var output: String
    package var errors: String

    /// Runs a program and waits for its end.
    ///
    /// - Parameter started: called with the process and its first line of output (or all of it, when the program ends
    ///   before), for programs that have to be asked to end.
    package static func run(
        _ arguments: [String],
        whenFirstLine started: @escaping @Sendable (ChildProcess, String) -> Void = { _, _ in }
    ) async throws -> FinishedProgram {
        let program: PipedProcess
        do {
            program = try PipedProcess(arguments)
        } catch {
            throw LabError("cannot start \(arguments.first ?? ""): \(error)")
        }
        let process = program.process
        async let said = PipeReader(descriptor: program.output).readAll { started(process, $0) }
        async let complained = PipeReader(descriptor: program.errors).readAll()
        return FinishedProgram(exitCode: await process.exitCode(), output: await said, errors: await complained)
    }
}

/// A pipe's reading end, which is read to the stream's end or for a line, and closed then.
struct PipeReader: Sendable {
    let descriptor: Int32

    /// Up to the first line's end, which is left out, or to the end of the stream.
    func readLine(limit: Int) async -> [UInt8] {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "weir.pipe.\(descriptor)").async {
                var line: [UInt8] = []
                var byte: UInt8 = 0
                while line.count < limit, read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
                    line.append(byte)
                }
                close(descriptor)
                continuation.resume(returning: line)
            }
        }
    }

    /// Everything to the end of the stream.
    func readAll(firstLine: @escaping @Sendable (String) -> Void = { _ in }) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "weir.pipe.\(descriptor)").async {
                var all: [UInt8] = []
                var told = false
                var block = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = read(descriptor, &block, block.count)
                    if count > 0 { all += block[..<count] }
                    if !told, let end = all.firstIndex(of: UInt8(ascii: "\n")) ?? (count <= 0 ? all.endIndex : nil) {
                        told = true
                        firstLine(String(decoding: all[..<end], as: UTF8.self))
                    }
                    if count <= 0 { break }
                }
                close(descriptor)
                continuation.resume(returning: String(decoding: all, as: UTF8.self))
            }
        }
    }
}
