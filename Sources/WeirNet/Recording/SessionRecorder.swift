import Synchronization
package import WeirCore

/// Writes down what an agent's core is fed and what it answers.
///
/// Confined to the agent's event loop. Life: recording → over (the file is full, the disk too slow or broken, or the
/// agent stopped), once.
package final class SessionRecorder {
    /// Answers for the agent's key, and remembers what was answered.
    package let signer: RecordingSigner
    private let file: RecordingFile
    private var writer = RecordingWriter()
    private var marks: [OutputMark] = []
    private var isOver = false
    /// Told once, when the recording ends before its agent.
    private let onEnd: (String) -> Void

    package init(file: RecordingFile, signer: any Signer, onEnd: @escaping (String) -> Void) {
        self.file = file
        self.signer = RecordingSigner(signer)
        self.onEnd = onEnd
    }

    package func begin(_ settings: AgentSettings, _ limits: Limits, seed: UInt64) {
        guard let identity = signer.identity(ofKey: signer.publicKey) else {
            preconditionFailure("a signer knows its own key")
        }
        let start = Recording.Start(
            settings: settings,
            limits: limits,
            publicKey: signer.publicKey,
            identity: identity,
            seed: seed
        )
        append(writer.begin(start))
        _ = signer.takeAnswers()
    }

    /// Before the core handles it, so that the recording of an agent that dies over an input ends with it.
    package func input(_ input: Input, at time: Instant) {
        guard !isOver else { return }
        do throws(CodecError) {
            append(try writer.input(input, at: time))
        } catch {
            stop(.failed)
        }
    }

    package func output(_ output: Output) {
        if !isOver { marks.append(OutputMark(output)) }
    }

    package func result(nextDeadline: Instant?) {
        guard !isOver else { return }
        let answers = signer.takeAnswers()
        append(writer.result(Recording.Result(answers: answers, outputs: marks, nextDeadline: nextDeadline)))
        marks.removeAll(keepingCapacity: true)
    }

    /// The agent has stopped.
    package func end() {
        if !isOver { close(.stopped) }
        file.finish()
    }

    private func append(_ bytes: [UInt8]) {
        do throws(RecordingFile.Refusal) { try file.append(bytes) } catch { stop(error) }
    }

    private func stop(_ refusal: RecordingFile.Refusal) {
        switch refusal {
        case .full:
            close(.full)
            onEnd("the recording has its full size")
        case .slow:
            close(.slow)
            onEnd("the disk is too slow for the recording")
        case .failed:
            isOver = true
            onEnd("the recording cannot be written")
        }
        signer.forget()
        marks = []
    }

    private func close(_ end: Recording.End) {
        isOver = true
        // A broken file cannot be told.
        try? file.append(writer.end(end), isLast: true)
    }
}

/// A signer that remembers its answers until they are taken.
package final class RecordingSigner: Signer {
    private let signer: any Signer
    /// Nil: nobody asks for them any more.
    private let answers = Mutex<[Recording.SignerAnswer]?>([])

    init(_ signer: any Signer) {
        self.signer = signer
    }

    package var publicKey: [UInt8] { signer.publicKey }

    package func sign(_ digest: Digest) -> [UInt8] {
        let signature = signer.sign(digest)
        note(.signature(over: digest, signature))
        return signature
    }

    package func verify(_ signature: [UInt8], over digest: Digest, publicKey: [UInt8]) -> Bool {
        let isValid = signer.verify(signature, over: digest, publicKey: publicKey)
        note(
            .verified(
                question: Recording.SignerAnswer.question(signature, over: digest, publicKey: publicKey),
                isValid
            )
        )
        return isValid
    }

    package func identity(ofKey publicKey: [UInt8]) -> PeerID? {
        let identity = signer.identity(ofKey: publicKey)
        note(.identity(ofKey: publicKey, identity))
        return identity
    }

    func takeAnswers() -> [Recording.SignerAnswer] {
        answers.withLock { answers in
            defer { if answers != nil { answers = [] } }
            return answers ?? []
        }
    }

    func forget() { answers.withLock { $0 = nil } }

    private func note(_ answer: Recording.SignerAnswer) { answers.withLock { $0?.append(answer) } }
}
