import WeirLab

/// What the demo shows, and when: start → warm-up → measuring → summary → (with `keep`) on and on.
struct Demo {
    private static let agents = 4
    /// Offload below this makes the demo fail: of the bound's 75 % audits may take some, a broken swarm takes all.
    private static let leastOffload = 0.6
    /// Everything before is start-up and stands on a line of its own.
    private static let warmUpSeconds = 15

    let stage: DemoStage
    let seconds: Int
    let keep: Bool

    /// - Throws: a `Failure` when the offload is too low; `CancellationError` on Ctrl-C.
    func run() async throws {
        let tracker = try await stage.startTracker()
        Console.print("origin   \(await stage.streamURL)")
        Console.print("tracker  \(tracker)")
        Console.print("starting \(Demo.agents) agents …")
        try await stage.start(agents: Demo.agents, tracker: tracker)
        let started = ContinuousClock.now
        let warmUp = min(Demo.warmUpSeconds, seconds / 3)
        var screen = DemoScreen()
        try await show(&screen, from: started, until: warmUp)
        let before = await snapshot()
        try await show(&screen, from: started, until: seconds)
        let after = await snapshot()
        let failure = await summarize(startUp: before, end: after, warmUp: warmUp)
        if keep {
            Console.print("playing on until Ctrl-C; watch it with: mpv \(await stage.address)")
            screen = DemoScreen()
            try await show(&screen, from: started, until: .max)
        }
        if let failure { throw failure }
    }

    private struct Snapshot {
        var originBytes: Int64
        var deliveredBytes: Int64
        var figures: [DemoFigures]
    }

    private func snapshot() async -> Snapshot {
        let figures = await stage.figures()
        return Snapshot(
            originBytes: stage.origin.log.payloadBytes(suffix: ".ts"),
            deliveredBytes: figures.reduce(0) { $0 + $1.viewedBytes },
            figures: figures
        )
    }

    private func show(_ screen: inout DemoScreen, from started: ContinuousClock.Instant, until end: Int) async throws {
        while true {
            let elapsed = (ContinuousClock.now - started).seconds
            if elapsed >= Double(end) { return }
            screen.show(await stage.figures(), elapsed: elapsed)
            let pause = min(screen.interval, Double(end) - elapsed)
            try await Task.sleep(for: .seconds(max(0.01, pause)))
        }
    }

    /// - Returns: what makes the demo fail, if anything.
    private func summarize(startUp: Snapshot, end: Snapshot, warmUp: Int) async -> Failure? {
        let offload = DemoOffload(
            originBytes: end.originBytes - startUp.originBytes,
            deliveredBytes: end.deliveredBytes - startUp.deliveredBytes,
            viewers: end.figures.count
        )
        let stalls = end.figures.reduce(0) { $0 + $1.stalls }
        let megabytes = DemoFigures.megabytes
        Console.print("")
        Console.print("after \(seconds) s, the first \(warmUp) s (start-up) apart:")
        Console.print(
            "  offload    \(DemoFigures.percent(offload.ratio)) (bound \(DemoFigures.percent(offload.bound)), "
                + "one copy for \(offload.viewers) viewers)"
        )
        Console.print("  origin     \(megabytes(offload.originBytes)) of media by its own access log")
        Console.print("  viewers    \(megabytes(offload.deliveredBytes)) of media")
        Console.print(
            "  start-up   \(megabytes(startUp.originBytes)) from the origin, \(megabytes(startUp.deliveredBytes)) to viewers"
        )
        Console.print("  stalls     \(stalls)")
        for complaint in await stage.complaints() { Console.print("  \(complaint)") }
        guard offload.ratio < Demo.leastOffload else { return nil }
        return Failure(
            .belowBound,
            "the offload is \(DemoFigures.percent(offload.ratio)), below \(DemoFigures.percent(Demo.leastOffload))"
        )
    }
}

/// The table: refreshed in place on a terminal, a few plain lines now and then elsewhere.
struct DemoScreen {
    private let isTerminal = Console.isTerminal
    private var linesShown = 0

    /// Seconds between two tables.
    var interval: Double { isTerminal ? 1 : 5 }

    mutating func show(_ figures: [DemoFigures], elapsed: Double) {
        let lines = ["after \(DemoFigures.fixed(elapsed, decimals: 0)) s"] + DemoFigures.table(figures)
        // Up to the table's first line, and clear from there to the end (ECMA-48 CUU and ED).
        let home = isTerminal && linesShown > 0 ? "\u{1b}[\(linesShown)A\u{1b}[J" : ""
        Console.show(home + lines.joined(separator: "\n") + "\n")
        linesShown = lines.count
    }
}
