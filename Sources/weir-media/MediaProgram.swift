import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// All that is done to media: a program that the agent starts, so that what libav does, and what it needs, is nobody
/// else's. Not for people, but usable by them.
@main
struct MediaProgram: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weir-media",
        abstract: "What weir does to media by libavformat and libavcodec; weir starts it where it is needed.",
        subcommands: [RemuxCommand.self, CaptureCommand.self, PictureCommand.self, ProbeCommand.self]
    )
}

/// Exit codes after `sysexits.h`, as those of weir.
extension ExitCode {
    /// Media or manifests that cannot be read.
    static let badData = ExitCode(65)
    /// The disk is as full as it may be.
    static let noSpace = ExitCode(73)
    /// What is needed is not there.
    static let unavailable = ExitCode(69)
}

/// The standard streams, unbuffered.
enum Console {
    /// A line on standard error.
    static func complain(_ line: String) { write(Array("weir-media: \(line)\n".utf8), to: STDERR_FILENO) }

    /// Bytes on standard output.
    static func put(_ bytes: [UInt8]) { write(bytes, to: STDOUT_FILENO) }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        #if canImport(Glibc)
            _ = Glibc.write(descriptor, bytes, bytes.count)
        #else
            _ = Musl.write(descriptor, bytes, bytes.count)
        #endif
    }
}
