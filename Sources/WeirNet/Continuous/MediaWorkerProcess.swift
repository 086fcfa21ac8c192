import NIOCore
import NIOPosix
import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A media worker that runs: its records, its complaints, its end.
///
/// State: running → ended. Confined to its event loop, which is what makes it Sendable.
final class MediaWorkerProcess: @unchecked Sendable {
    private let process: ChildProcess
    private let loop: any EventLoop
    private var handler: RecordHandler?
    private var onEnd: ((Int32) -> Void)?

    var identifier: Int32 { process.identifier }

    /// Starts it.
    /// - Parameters:
    ///   - onEnd: called once with the exit code, when everything that it wrote has been taken.
    init(
        _ command: [String],
        loop: any EventLoop,
        onRecord: @escaping (RemuxRecord, ByteBuffer) -> Void,
        onLine: @escaping (String) -> Void,
        onEnd: @escaping (Int32) -> Void
    ) throws(ChildProcess.StartFailure) {
        let started = try PipedProcess(command)
        process = started.process
        self.loop = loop
        self.onEnd = onEnd
        let handler = RecordHandler(onRecord: onRecord) { [weak self] in self?.outputEnded() }
        self.handler = handler
        read(started.output, handler)
        read(started.errors, ComplaintHandler(onLine: onLine))
    }

    /// Ends it at once: it holds nothing that is worth saving.
    func end() {
        onEnd = nil
        process.kill()
        handler?.resume()
    }

    func pause() { handler?.pause() }
    func resume() { handler?.resume() }

    private func read(_ descriptor: Int32, _ handler: some ChannelHandler) {
        let handler = NIOLoopBound(handler, eventLoop: loop)
        NIOPipeBootstrap(group: loop)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(handler.value)
                }
            }
            .takingOwnershipOfDescriptor(input: descriptor)
            .whenFailure { [weak self] _ in
                close(descriptor)
                self?.outputEnded()
            }
    }

    private func outputEnded() {
        handler = nil
        // One that is not heard any more, or wrote nonsense, has no use.
        process.kill()
        Task { [process, loop] in
            let code = await process.exitCode()
            loop.execute { self.ended(code) }
        }
    }

    private func ended(_ code: Int32) {
        let report = onEnd
        onEnd = nil
        report?(code)
    }
}
