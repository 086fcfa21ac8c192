import Logging
import NIOCore
import WeirCore

/// The recordings of an agent. Confined to the endpoint's event loop, which is what makes it Sendable.
package final class Captures: @unchecked Sendable {
    /// Why one cannot begin.
    package enum Refusal: Error, Sendable, Equatable {
        case busy(most: Int)
        /// The file is being written already.
        case taken
        /// The program that records is not there.
        case missing(String)
    }

    let settings: CaptureSettings
    private let continuous: ContinuousSettings
    private let loop: any EventLoop
    private let logger: Logger
    private let base: () -> String
    private var jobs: [CaptureJob] = []
    private var latest = 0

    /// - Parameter base: where a worker finds the endpoint.
    init(
        settings: CaptureSettings,
        continuous: ContinuousSettings,
        loop: any EventLoop,
        logger: Logger,
        base: @escaping () -> String
    ) {
        self.settings = settings
        self.continuous = continuous
        self.loop = loop
        self.logger = logger
        self.base = base
    }

    var reports: [CaptureReport] { jobs.map(\.report) }

    func start(
        _ request: CaptureRequest,
        for agent: any ControlledAgent,
        onChange: @escaping (CaptureReport) -> Void = { _ in }
    ) throws(Refusal) -> CaptureReport {
        if let lack = continuous.lack { throw .missing(lack) }
        let running = jobs.filter { !$0.report.isOver }
        guard running.count < settings.most else { throw .busy(most: settings.most) }
        guard !running.contains(where: { $0.request.path == request.path }) else { throw .taken }
        latest += 1
        let job = CaptureJob(
            request,
            id: "\(latest)",
            command: continuous.worker,
            settings: settings,
            base: base(),
            agent: agent,
            loop: loop,
            logger: logger,
            tellDamage: continuous.tellDamage,
            onChange: onChange
        )
        let over = jobs.filter(\.report.isOver)
        if over.count > settings.mostOver, let oldest = over.first { jobs.removeAll { $0 === oldest } }
        jobs.append(job)
        // The caller hears of it first.
        loop.assumeIsolated().execute { job.begin() }
        return job.report
    }

    /// - Returns: false when there is none.
    func stop(_ id: String) -> Bool {
        guard let job = jobs.first(where: { $0.report.id == id }) else { return false }
        job.stop()
        return true
    }

    /// Ends the recordings of a stream that is no more.
    func close(_ stream: StreamID) {
        for job in jobs where job.stream == stream { job.stop("its session was ended") }
    }

    func shutDown() {
        for job in jobs { job.stop("the agent stops") }
    }
}
