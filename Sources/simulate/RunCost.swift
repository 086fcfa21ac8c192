import WeirSimulation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What a run took of the machine, for standard error: it differs from run to run.
struct RunCost {
    private let clock = ContinuousClock()
    private let began: ContinuousClock.Instant
    private let processorSecondsBefore: Double

    init() {
        began = clock.now
        processorSecondsBefore = RunCost.usage().processorSeconds
    }

    /// - Parameters:
    ///   - simulated: seconds of virtual time.
    ///   - agents: all that took part, for the memory of each; the peak of the process, program included.
    func line(simulated: Double, events: UInt64, agents: Int) -> String {
        let elapsed = clock.now - began
        let wall = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
        let usage = RunCost.usage()
        let processor = max(usage.processorSeconds - processorSecondsBefore, 1e-9)
        return "\(format(wall, 2)) s of wall time, \(format(processor, 2)) s of processor time,"
            + " \(format(simulated / processor, 1)) × real time, \(format(Double(events) / processor / 1000, 0)) thousand"
            + " events a second, \(format(usage.peakMebibytes, 0)) MiB at most,"
            + " \(format(usage.peakMebibytes / Double(max(1, agents)), 2)) an agent"
    }

    private func format(_ value: Double, _ digits: Int) -> String { DecimalText.format(value, digits: digits) }

    private static func usage() -> (processorSeconds: Double, peakMebibytes: Double) {
        var usage = rusage()
        // RUSAGE_SELF, whose type differs between C libraries.
        getrusage(0, &usage)
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        let rest = Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
        return (seconds + rest, Double(usage.ru_maxrss) / 1024)
    }
}
