import WeirCore

extension Report {
    /// For people and for diff: nothing here depends on the wall clock or the process.
    package var lines: [String] {
        var lines: [String] = [
            "policy \(policy.rawValue)",
            "offload \(percent(offload)) (bound \(percent(bound)))",
            "start-up \(megabytes(startUpBytes)) of media from the origin before the warm-up was over",
            "start-up time median \(seconds(startUp.median)), p95 \(seconds(startUp.p95))",
            "stalls \(stalls) (\(seconds(stalled)), \(stalledViewers) of \(viewers) viewers)",
            "waste \(percent(waste))",
            "origin fetches per segment \(decimals(fetchesPerSegment, 2)) (\(decimals(copiesPerSegment, 2)) copies)",
            "segment behind the origin median \(seconds(delay.median)), p95 \(seconds(delay.p95))",
            "segment at the player median \(seconds(playerDelay.median)), p95 \(seconds(playerDelay.p95))",
            "from the origin's first byte to a peer median \(seconds(spread.median)), p95 \(seconds(spread.p95))"
                + " (bound \(seconds(spreadBound)))",
            "control \(percent(controlShare)) of link bytes",
            "playlists \(playlistRequests) requests, \(megabytes(playlistBytes))",
            "delivered \(megabytes(delivered)), origin \(megabytes(originBytes)), audits \(megabytes(auditBytes))",
            "integrity: \(wrongBytes) wrong bytes, \(cutBodies) cut bodies, \(rejectedBytes) bytes rejected,"
                + " \(bannedPeers) bans",
            "players: \(failedAnswers) failed answers, \(skippedSegments) skipped segments, \(unfinished) unfinished",
            "oracles: \(unofferedRequests) of \(runRequests) requests were not offered, \(refusals) refused,"
                + " ledger excess \(ledgerExcess), \(uncountedOriginBytes) origin bytes uncounted",
        ]
        lines += trackers.map { line($0) }
        if !trackers.isEmpty {
            lines.append(
                "links: first after median \(seconds(firstLink.median)), p95 \(seconds(firstLink.p95));"
                    + " at the end median \(links.median), least \(links.least)"
            )
        }
        if let channel { lines.append(line(channel)) }
        if let renditions { lines.append(renditions.line) }
        lines += spans.map(\.line)
        lines += onDemandLines
        lines.append("events \(events)")
        return lines + violations.map { "VIOLATED \($0)" }
    }

    private func line(_ tracker: TrackerServerStatistics) -> String {
        "tracker: \(tracker.peers) peers, \(tracker.viewers) viewers, \(tracker.announces) announces,"
            + " \(tracker.offers) offers, \(tracker.answers) answers, \(tracker.looks) members looked at,"
            + " \(tracker.reserveSearches) reserve searches"
    }

    private func line(_ channel: ChannelReport) -> String {
        "channel: \(channel.viewers) viewers, \(channel.mode?.rawValue ?? "no mode")"
            + (channel.reason.isEmpty ? "" : " (\(channel.reason))")
    }

    private var onDemandLines: [String] {
        guard let onDemand else { return [] }
        var lines = [
            "on demand: \(viewers) viewings, jumps take \(seconds(onDemand.jumpWait.median)),"
                + " p95 \(seconds(onDemand.jumpWait.p95)); of the bound \(percent(offload / bound))"
        ]
        let reasons = onDemand.originReasons.filter { $0.bytes > 0 }
        lines += reasons.map { "origin asked, \($0.reason): \(megabytes($0.bytes))" }
        if let formula = onDemand.formula { lines.append("with starts without end the bound is \(percent(formula))") }
        if let fifo = onDemand.firstInFirstOut, let recent = onDemand.leastRecentlyUsed {
            lines.append(
                "with the same memory: first in first out \(percent(fifo)) (× \(decimals(offload / fifo, 2))),"
                    + " least recently used \(percent(recent)) (× \(decimals(offload / recent, 2)))"
            )
        }
        return lines
    }

    private func percent(_ value: Double) -> String { "\(decimals(value * 100, 1)) %" }
    private func seconds(_ span: Duration) -> String { "\(decimals(span.seconds, 3)) s" }
    private func megabytes(_ bytes: Int64) -> String { "\(decimals(Double(bytes) / 1e6, 1)) MB" }

    private func decimals(_ value: Double, _ digits: Int) -> String { DecimalText.format(value, digits: digits) }
}

/// Fixed decimals without Foundation.
package enum DecimalText {
    package static func format(_ value: Double, digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let scaled = (abs(value) * scale).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let number = Int64(scaled)
        let whole = String(number / Int64(scale))
        let sign = value < 0 && number > 0 ? "-" : ""
        guard digits > 0 else { return sign + whole }
        let rest = String(number % Int64(scale))
        return sign + whole + "." + String(repeating: "0", count: digits - rest.count) + rest
    }
}
