import NIOCore
import WeirCore

/// Cuts what a media worker writes into records.
///
/// State: reading → paused → reading …; any → closed, at the pipe's end or when it holds what no worker writes.
final class RecordHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = Never

    private let onRecord: (RemuxRecord, ByteBuffer) -> Void
    private let onEnd: () -> Void
    private var held: ByteBuffer?
    private var record: RemuxRecord?
    private var context: ChannelHandlerContext?
    private var isPaused = false
    private var isReadWanted = false

    init(onRecord: @escaping (RemuxRecord, ByteBuffer) -> Void, onEnd: @escaping () -> Void) {
        self.onRecord = onRecord
        self.onEnd = onEnd
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelInactive(context: ChannelHandlerContext) { onEnd() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func read(context: ChannelHandlerContext) {
        if isPaused { isReadWanted = true } else { context.read() }
    }

    func pause() { isPaused = true }

    func resume() {
        isPaused = false
        guard isReadWanted else { return }
        isReadWanted = false
        context?.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var arrived = unwrapInboundIn(data)
        if held == nil { held = arrived } else { held?.writeBuffer(&arrived) }
        while let next = take(context) { onRecord(next.0, next.1) }
        if held?.readableBytes == 0 { held = nil } else { held?.discardReadBytes() }
    }

    private func take(_ context: ChannelHandlerContext) -> (RemuxRecord, ByteBuffer)? {
        if record == nil, let head = held?.readBytes(length: RemuxRecord.headCount) {
            record = RemuxRecord(head: head)
            if record == nil { context.close(promise: nil) }
        }
        guard let record, let part = held?.readSlice(length: record.count) else { return nil }
        self.record = nil
        // A copy of its own: a slice would keep the buffer that everything arrives in.
        var body = context.channel.allocator.buffer(capacity: record.count)
        body.writeImmutableBuffer(part)
        return (record, body)
    }
}

/// Cuts what a media worker complains of into lines.
final class ComplaintHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Bytes of a line, and lines of one worker; the rest is dropped.
    private static let longestLine = 400
    private static let mostLines = 200

    private let onLine: (String) -> Void
    private var line: [UInt8] = []
    private var lines = 0

    init(onLine: @escaping (String) -> Void) {
        self.onLine = onLine
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView {
            guard byte == UInt8(ascii: "\n") else {
                if line.count < ComplaintHandler.longestLine { line.append(byte) }
                continue
            }
            lines += 1
            if lines <= ComplaintHandler.mostLines, !line.isEmpty { onLine(String(decoding: line, as: UTF8.self)) }
            line = []
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
