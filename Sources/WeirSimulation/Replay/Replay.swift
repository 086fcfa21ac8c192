package import WeirCore

/// Feeds a recorded session to this build's core and compares what it decides with what was recorded.
package struct Replay: Sendable {
    /// The first input whose handling led to something else.
    package struct Difference: Sendable, Equatable, CustomStringConvertible {
        package var input: Int
        package var at: Instant
        package var what: String

        package var description: String {
            "input \(input), at \(DecimalText.format(Double(at.nanoseconds) / 1e9, digits: 6)) s, \(what)"
        }
    }

    /// Inputs that were handled.
    package private(set) var inputs = 0
    package private(set) var outputs = 0
    /// The time of the last input.
    package private(set) var length = Duration.zero
    /// How the recording ends; nil: it breaks off.
    package private(set) var end: Recording.End?
    package private(set) var difference: Difference?
    /// The last input, where the agent died over it or the file was cut before its result.
    package private(set) var breaksOff: String?

    /// - Parameter bytes: of the file that `record_inputs` names.
    package init(_ bytes: [UInt8]) throws(RecordingError) {
        var reader = try RecordingReader(bytes)
        let limits = Limits()
        guard reader.start.limits == "\(limits)" else { throw .otherLimits }
        let signer = ReplaySigner(reader.start)
        var agent = Agent(settings: reader.start.settings, limits: limits, signer: signer, seed: reader.start.seed)
        while difference == nil, let step = try reader.next() {
            signer.learn(step.result?.answers ?? [])
            agent.handle(step.input, at: step.at)
            var made: [Output] = []
            while let output = agent.nextOutput() { made.append(output) }
            length = step.at - .start
            outputs += made.count
            if let result = step.result {
                if let what = Replay.compare(made, agent.nextDeadline, signer.takeUnknown(), with: result) {
                    difference = Difference(input: inputs, at: step.at, what: "\(step.input.kind): \(what)")
                }
            } else if reader.end == nil {
                breaksOff = "\(step.input.kind)"
            }
            inputs += 1
        }
        end = reader.end
    }

    private static func compare(
        _ made: [Output],
        _ deadline: Instant?,
        _ unknown: String?,
        with recorded: Recording.Result
    ) -> String? {
        for (place, output) in made.enumerated() {
            let mark = OutputMark(output)
            guard recorded.outputs.indices.contains(place) else {
                return "output \(place + 1) is new: \(brief(output))"
            }
            let before = recorded.outputs[place]
            if mark == before { continue }
            let was = before.kind == mark.kind ? "another \(before.kind)" : "\(before.kind)"
            return "output \(place + 1) of \(recorded.outputs.count) was \(was) and is \(brief(output))"
        }
        if made.count < recorded.outputs.count {
            let missing = recorded.outputs[made.count].kind
            return "output \(made.count + 1) of \(recorded.outputs.count), \(missing), is missing"
        }
        if let unknown { return "asks for \(unknown), as the recorded core did not" }
        guard deadline == recorded.nextDeadline else {
            return "wants to be called at \(text(deadline)), and wanted at \(text(recorded.nextDeadline))"
        }
        return nil
    }

    private static func text(_ instant: Instant?) -> String {
        instant.map { "\(DecimalText.format(Double($0.nanoseconds) / 1e9, digits: 6)) s" } ?? "no time"
    }

    private static func brief(_ output: Output) -> String {
        let whole = "\(output)"
        return whole.count > 400 ? "\(whole.prefix(400))…" : whole
    }
}
