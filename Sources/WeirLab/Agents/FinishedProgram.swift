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
        let output = try PipeEnds()
        let errors = try PipeEnds()
        let process: ChildProcess
        do {
            defer {
                close(output.writing)
                close(errors.writing)
            }
            process = try ChildProcess(
                arguments,
                output: .descriptor(output.writing),
                errors: .descriptor(errors.writing),
                ownGroup: true
            )
        } catch {
            close(output.reading)
            close(errors.reading)
            throw LabError("cannot start \(arguments.first ?? ""): \(error)")
        }
        async let said = output.readAll { started(process, $0) }
        async let complained = errors.readAll()
        return FinishedProgram(exitCode: await process.exitCode(), output: await said, errors: await complained)
    }
}

/// A pipe that is read to its end, or line by line.
struct PipeEnds: Sendable {
    let reading: Int32
    let writing: Int32

    init() throws(LabError) {
        do {
            let pipe = try Pipe()
            (reading, writing) = (pipe.reading, pipe.writing)
        } catch {
            throw LabError("\(error)")
        }
    }

    /// Up to the first line's end, which is left out, or to the end of the stream. Closes the reading end.
    func readLine(limit: Int) async -> [UInt8] {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "weir.pipe.\(reading)").async {
                var line: [UInt8] = []
                var byte: UInt8 = 0
                while line.count < limit, read(reading, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
                close(reading)
                continuation.resume(returning: line)
            }
        }
    }

    /// Everything to the end of the stream. Closes the reading end.
    func readAll(firstLine: @escaping @Sendable (String) -> Void = { _ in }) async -> String {
        await withCheckedContinuation { continuation in
            DispatchQueue(label: "weir.pipe.\(reading)").async {
                var all: [UInt8] = []
                var told = false
                var block = [UInt8](repeating: 0, count: 4096)
                while true {
                    let count = read(reading, &block, block.count)
                    if count > 0 { all += block[..<count] }
                    if !told, let end = all.firstIndex(of: UInt8(ascii: "\n")) ?? (count <= 0 ? all.endIndex : nil) {
                        told = true
                        firstLine(String(decoding: all[..<end], as: UTF8.self))
                    }
                    if count <= 0 { break }
                }
                close(reading)
                continuation.resume(returning: String(decoding: all, as: UTF8.self))
            }
        }
    }
}
