/// How a lab origin misbehaves on command.
package enum OriginFault: Sendable, Hashable {
    /// Takes the request and never answers.
    case silent
    /// Answers this status with a short text.
    case status(Int)
    /// Sends the headers and this many body bytes, then nothing, and keeps the connection.
    case stall(afterBytes: Int)
    /// Sends the headers and this many body bytes, then closes.
    case truncate(afterBytes: Int)
    /// Sends the body at this rate.
    case slow(bytesPerSecond: Int)
    /// Answers 200 with the whole body to every Range.
    case ignoreRange
    /// Flips a bit of the body's byte at this offset of the resource.
    case corrupt(offset: Int)
    /// Closes the connection without an answer.
    case close
}
