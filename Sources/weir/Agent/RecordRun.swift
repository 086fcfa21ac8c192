import WeirCore
import WeirNet
import WeirSettings

/// The life of an agent that records one stream: started → recording → leaving.
struct RecordRun {
    private enum Event: Sendable {
        case changed(CaptureReport)
        case interrupted
    }

    let settings: ProgramSettings
    private let events = RunEvents<Event>(interrupted: .interrupted)

    init(settings: ProgramSettings) { self.settings = settings }

    func record(_ request: CaptureRequest) async throws {
        let token = try ControlToken.load(file: settings.apiTokenFile)
        let agent = try await AgentLaunch.start(settings, token: token)
        do throws(Captures.Refusal) {
            try await agent.record(request) { [events] in events.post(.changed($0)) }
        } catch {
            await AgentRun.leave(agent)
            guard case .missing(let lack) = error else { throw Failure(.cannotCreate, "cannot record: \(error)") }
            throw Failure(.unavailable, "cannot record: \(lack); install weir-media beside weir, or set media_program")
        }
        var last: CaptureReport?
        loop: for await event in events.all {
            switch event {
            case .interrupted: break loop
            case .changed(let report):
                tell(report, last)
                last = report
                if report.isOver { break loop }
            }
        }
        await AgentRun.leave(agent)
        try conclude(last)
    }

    /// Changes of state and gaps as they come, not every second's bytes.
    private func tell(_ report: CaptureReport, _ last: CaptureReport?) {
        for gap in report.gaps.dropFirst(last?.gaps.count ?? 0) {
            let length = gap.missing_seconds.map { "\($0) s" } ?? "an unknown time"
            Console.note("weir: missing at \(gap.at_seconds) s: \(length)")
        }
        guard report.state != last?.state || report.reason != last?.reason, !report.isOver else { return }
        Console.note(
            "weir: \(report.file): \(report.state.rawValue)\(report.reason.isEmpty ? "" : " (\(report.reason))")"
        )
    }

    private func conclude(_ report: CaptureReport?) throws(Failure) {
        guard let report else { return }
        switch report.state {
        case .failed: throw Failure(.data, "cannot record: \(report.reason)")
        case .full: throw Failure(.cannotCreate, report.summary)
        case .scheduled, .opening, .recording, .waiting, .complete, .stopped: Console.note("weir: \(report.summary)")
        }
        Console.print(report.file)
    }
}
