import WeirLab

/// What a swarm of real agents did: bytes of the segments that were published after the warm-up.
struct SwarmFigures {
    /// One agent with its viewer.
    struct Member {
        var uplink: Double
        var deliveredBytes: Int64
        var statistics: AgentProcess.Statistics
        var view: SwarmView
        /// Segments of the measured ones that the viewer lacks, and those whose bytes are not the origin's.
        var missing: Int
        var inexact: Int
        /// Of one core, after the warm-up.
        var processorShare: Double
        var memory: MemoryAccount
    }

    var members: [Member]
    /// Body bytes of measured segments, by nginx's log.
    var originBytes: Int64
    /// Of segments that were published before.
    var startUpBytes: Int64

    var deliveredBytes: Int64 { members.reduce(0) { $0 + $1.deliveredBytes } }
    var offload: Double { deliveredBytes > 0 ? 1 - Double(originBytes) / Double(deliveredBytes) : 0 }
    var stalls: Int { members.reduce(0) { $0 + $1.view.stalls } }

    var complaints: [String] {
        members.enumerated().flatMap { number, member in
            member.view.errors.prefix(3).map { "viewer \(number + 1): \($0)" }
        }
    }

    var table: TextTable {
        var table = TextTable([
            "agent", "uplink Mbit/s", "delivered MB", "origin MB", "peers MB", "uploaded MB", "waste %", "start s",
            "stalls", "missing", "inexact", "CPU %", "RSS MiB", "RssAnon MiB",
        ])
        for (number, member) in members.enumerated() {
            let statistics = member.statistics
            let received = Double(max(1, statistics.originBytes + statistics.edgeBytes + statistics.peerBytes))
            table.add([
                String(number + 1), member.uplink.fixed(1), megabytes(statistics.deliveredBytes),
                megabytes(statistics.originBytes), megabytes(statistics.peerBytes),
                megabytes(statistics.uploadedBytes),
                (100 * Double(statistics.wastedBytes) / received).fixed(1),
                member.view.startup.map { $0.fixed(2) } ?? "-", String(member.view.stalls), String(member.missing),
                String(member.inexact), (100 * member.processorShare).fixed(1),
                mebibytes(member.memory.residentBytes), mebibytes(member.memory.anonymousBytes),
            ])
        }
        return table
    }

    func summary(bound: Double) -> String {
        var waits = Samples()
        for member in members { waits.append(contentsOf: Samples(member.view.segments.map(\.seconds))) }
        return """
            offload \((100 * offload).fixed(1)) % by nginx's log, bound \((100 * bound).fixed(1)) %: \
            \((offload / bound).fixed(3)) of it (goal \(SwarmBench.goal)); start-up \(megabytes(startUpBytes)) MB apart
            stalls \(stalls), missing \(members.reduce(0) { $0 + $1.missing }), \
            inexact \(members.reduce(0) { $0 + $1.inexact }); a segment's wait median \(waits.median.fixed(3)) s, \
            p95 \(waits.quantile(0.95).fixed(3)) s
            """
    }

    private func megabytes(_ bytes: Int64) -> String { (Double(bytes) / 1e6).fixed(1) }
    private func mebibytes(_ bytes: Int64) -> String { (Double(bytes) / 1_048_576).fixed(1) }
}
