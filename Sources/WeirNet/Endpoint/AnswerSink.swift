import NIOCore
import WeirCore

/// The way of an answer's bytes to the kernel, and what is known of how far they came.
///
/// The newest buffer stays here until the next one or the flush comes: only the last of a flush carries a promise, and one
/// in between for each stretch that the core should hear of.
final class AnswerSink {
    /// Body bytes between two reports of delivery within one flush: how finely the core sees a slow player drain.
    private static let reportBytes = 256 * 1024
    /// Body bytes after which an answer's beginning leaves at once: the player reads it while the rest is prepared.
    private static let firstFlushBytes = 32 * 1024

    /// Nil outside the pipeline: what is written then is lost with the connection.
    var context: ChannelHandlerContext?
    private var held: ByteBuffer?
    private var unmarkedBodyBytes = 0
    private var openMarks = 0
    /// The beginning of the answer under way has left.
    private var hasBegun = false
    /// Called with body bytes that the kernel took; with none at the end of a stretch without any.
    private let onTaken: (Int) -> Void

    init(onTaken: @escaping (Int) -> Void) { self.onTaken = onTaken }

    /// All that was written is with the kernel.
    var isEmpty: Bool { held == nil && openMarks == 0 }

    func beginAnswer() { hasBegun = false }

    /// - Returns: whether a flush is needed yet.
    func enqueue(_ buffer: ByteBuffer, bodyBytes: Int) -> Bool {
        guard let context else { return false }
        if let previous = held {
            if unmarkedBodyBytes >= AnswerSink.reportBytes {
                writeMarked(previous, context: context)
            } else {
                context.write(NIOAny(previous), promise: nil)
            }
        }
        held = buffer
        unmarkedBodyBytes += bodyBytes
        guard !hasBegun, unmarkedBodyBytes >= AnswerSink.firstFlushBytes else { return true }
        hasBegun = true
        held = nil
        writeMarked(buffer, context: context)
        context.flush()
        return false
    }

    /// Hands what was written to the kernel.
    func flush() {
        guard let context else { return }
        if let last = held {
            held = nil
            writeMarked(last, context: context)
        }
        context.flush()
    }

    /// The connection is gone.
    func drop() { held = nil }

    private func writeMarked(_ buffer: ByteBuffer, context: ChannelHandlerContext) {
        let count = unmarkedBodyBytes
        unmarkedBodyBytes = 0
        openMarks += 1
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [self] result in
            openMarks -= 1
            // A failed write closes the channel, which reports the rest.
            if case .success = result { onTaken(count) }
        }
        context.write(NIOAny(buffer), promise: promise)
    }
}
