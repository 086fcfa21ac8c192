#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A program in a process group of its own, whose standard output and errors this process reads by pipes.
package struct PipedProcess: Sendable {
    package let process: ChildProcess
    /// The descriptors to read from. Who reads them closes them.
    package let output: Int32
    package let errors: Int32

    package init(_ arguments: [String]) throws(ChildProcess.StartFailure) {
        let output = try Pipe()
        let errors: Pipe
        do throws(ChildProcess.StartFailure) {
            errors = try Pipe()
        } catch {
            for end in [output.reading, output.writing] { close(end) }
            throw error
        }
        defer {
            close(output.writing)
            close(errors.writing)
        }
        do throws(ChildProcess.StartFailure) {
            process = try ChildProcess(
                arguments,
                output: .descriptor(output.writing),
                errors: .descriptor(errors.writing),
                ownGroup: true
            )
        } catch {
            close(output.reading)
            close(errors.reading)
            throw error
        }
        (self.output, self.errors) = (output.reading, errors.reading)
    }
}
