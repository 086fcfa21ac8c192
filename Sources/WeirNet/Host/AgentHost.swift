import Logging
import NIOCore
import NIOPosix
package import WeirCore

/// Runs one agent: owns the core, performs its outputs, keeps its timer.
///
/// An actor whose executor is the agent's one event loop, so that the core is changed by one input at a time without a
/// lock. The core handles an input, every output is performed, then the next input is taken; inputs that arrive
/// meanwhile wait in the inbox.
///
/// Legal transitions: running → stopping → stopped.
package actor AgentHost {
    private enum Phase { case running, stopping, stopped }

    /// Inputs handled before the loop gets to look at its sockets again.
    private static let inputsPerTurn = 256

    nonisolated let loop: any EventLoop
    nonisolated let startTime: NIODeadline
    /// Where players and control calls find the endpoint.
    nonisolated package let port: Int
    nonisolated package var unownedExecutor: UnownedSerialExecutor { loop.executor.asUnownedSerialExecutor() }

    var agent: Agent
    let parts: HostParts
    let logger: Logger
    let inbox: Inbox
    private let recorder: SessionRecorder?
    private var phase = Phase.running
    private var draining = false
    private var timer: (task: Scheduled<Void>, at: Instant)?
    private var wallClockTask: RepeatedTask?
    private var nextOpen: UInt64 = 0
    private var opening: [OpenID: @Sendable (OpenResult) -> Void] = [:]
    /// Everything is closed; follows `stopped` by at most 0.7 s.
    private var isClosed = false
    private var stopped: [CheckedContinuation<Void, Never>] = []

    init(
        configuration: HostConfiguration,
        signer: any Signer,
        parts: HostParts,
        inbox: Inbox,
        loop: any EventLoop,
        port: Int,
        recording: RecordingFile?
    ) {
        self.loop = loop
        self.parts = parts
        self.inbox = inbox
        self.port = port
        startTime = .now()
        logger = configuration.logger
        var settings = configuration.agent
        settings.ownAddresses += parts.links.ownAddresses
        var random = SystemRandomNumberGenerator()
        let seed: UInt64 = random.next()
        let recorder = recording.map { file in
            SessionRecorder(file: file, signer: signer) { [logger = configuration.logger] in logger.warning("\($0)") }
        }
        recorder?.begin(settings, configuration.limits, seed: seed)
        self.recorder = recorder
        agent = Agent(
            settings: settings,
            limits: configuration.limits,
            signer: recorder?.signer ?? signer,
            seed: seed
        )
    }

    // MARK: Inputs

    /// Lets the core handle what is in the inbox.
    func drain() {
        guard !draining, phase != .stopped else { return }
        draining = true
        var handled = 0
        repeat {
            while handled < Self.inputsPerTurn, let input = inbox.take() {
                handle(input, at: now)
                handled += 1
            }
            // Writes that complete at once put reports into the inbox.
            parts.endpoint.flush()
            parts.links.flush()
        } while handled < Self.inputsPerTurn && !inbox.isEmpty
        draining = false
        if !inbox.isEmpty { loop.execute { [weak self] in self?.assumeIsolated { $0.drain() } } }
        setTimer()
    }

    private func handle(_ input: Input, at time: Instant) {
        recorder?.input(input, at: time)
        agent.handle(input, at: time)
        while let output = agent.nextOutput() {
            recorder?.output(output)
            perform(output)
        }
        recorder?.result(nextDeadline: agent.nextDeadline)
    }

    var now: Instant { Instant(nanoseconds: (NIODeadline.now() - startTime).nanoseconds) }

    private func setTimer() {
        guard phase != .stopped, let deadline = agent.nextDeadline, deadline != .never else { return }
        // A timer that comes too early is set again; only one that would come too late is replaced.
        if let timer, timer.at <= deadline { return }
        timer?.task.cancel()
        let task = loop.scheduleTask(deadline: startTime + .nanoseconds(deadline.nanoseconds)) { [weak self] in
            self?.assumeIsolated { $0.timerFired() } ?? ()
        }
        timer = (task, deadline)
    }

    private func timerFired() {
        timer = nil
        if let deadline = agent.nextDeadline, deadline <= now { inbox.put(.timer) } else { setTimer() }
    }

    func begin() {
        parts.endpoint.agent = self
        inbox.attach(self)
        wallClockTask = loop.scheduleRepeatedTask(initialDelay: .zero, delay: .minutes(1)) { [inbox] _ in
            inbox.put(.wallClock(milliseconds: WallClock.milliseconds()))
        }
        drain()
    }

    // MARK: Streams

    /// Opens a stream and waits until it can be played or is known not to be.
    package func open(url: String, swarm: String? = nil) async -> OpenResult {
        await withCheckedContinuation { continuation in
            startOpening(StreamRequest(url: url, swarmName: swarm)) { continuation.resume(returning: $0) }
        }
    }

    func startOpening(_ request: StreamRequest, then answer: @escaping @Sendable (OpenResult) -> Void) {
        guard phase == .running else { return answer(.failed(.refused, "the agent is stopping")) }
        nextOpen += 1
        let id = OpenID(nextOpen)
        opening[id] = answer
        inbox.put(.open(id, request))
    }

    func close(stream: StreamID) {
        parts.endpoint.continuous?.close(stream)
        parts.endpoint.captures?.close(stream)
        inbox.put(.close(stream))
    }

    func opened(_ id: OpenID, _ result: OpenResult) { opening.removeValue(forKey: id)?(result) }

    // MARK: Stopping

    /// Says goodbye to everybody and closes everything; returns within a second.
    package func stop() async {
        if isClosed { return }
        await withCheckedContinuation { continuation in
            stopped.append(continuation)
            guard phase == .running else { return }
            phase = .stopping
            // Whatever the core or a socket does, a stop comes to its end.
            loop.scheduleTask(in: .milliseconds(200)) { [weak self] in
                self?.assumeIsolated { $0.coreStopped() } ?? ()
            }
            inbox.put(.stop)
        }
    }

    /// The goodbyes are queued: let them leave, then close.
    func coreStopped() {
        guard phase == .stopping else { return }
        phase = .stopped
        inbox.close()
        timer?.task.cancel()
        timer = nil
        wallClockTask?.cancel()
        for answer in opening.values { answer(.failed(.refused, "the agent is stopping")) }
        opening = [:]
        parts.endpoint.flush()
        parts.links.flush()
        let limit = loop.makePromise(of: Void.self)
        let deadline = loop.scheduleTask(in: .milliseconds(700)) { limit.succeed() }
        let closings = [
            parts.links.shutDown(), parts.trackers.shutDown(), parts.endpoint.shutDown(), parts.origin.shutDown(),
            parts.windowFiles?.shutDown() ?? loop.makeSucceededVoidFuture(),
        ]
        EventLoopFuture.andAllComplete(closings, on: loop).whenComplete { _ in
            deadline.cancel()
            limit.succeed()
        }
        limit.futureResult.whenComplete { [self] _ in assumeIsolated { $0.closed() } }
    }

    private func closed() {
        isClosed = true
        recorder?.end()
        for continuation in stopped { continuation.resume() }
        stopped = []
    }
}
