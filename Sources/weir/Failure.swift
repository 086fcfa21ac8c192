/// Why the program ends without having done its work: one line for the user, and an exit code for scripts.
struct Failure: Error {
    /// After `sysexits.h`.
    enum Code: Int32 {
        /// Wrong flags or configuration.
        case usage = 64
        /// The input is no manifest, or a malformed one.
        case data = 65
        /// The origin, or another program that is needed, cannot be had.
        case unavailable = 69
        /// A port or a file that the program needs cannot be taken.
        case cannotCreate = 73
        /// The demo's figures were worse than they must be.
        case belowBound = 1
    }

    var code: Code
    /// Without line breaks: what went wrong and what to do.
    var message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
