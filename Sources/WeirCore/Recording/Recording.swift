/// A session of one agent as its core saw it: how it began, every input with its time, and in digests what it answered.
///
/// The core decides by its inputs, its seed and what its `Signer` answers, and by nothing else. So whoever feeds another
/// core the same finds out whether it still decides the same, and at which input it first does not.
///
/// As bytes it is `magic`, then records: length (varint), body, and a check of eight bytes over the body and the check
/// before it. A body begins with its kind. The records are one `start`; then in turns an input and the result of
/// handling it; at last an `end`, unless the agent was killed.
package enum Recording {
    package static let magic: [UInt8] = Array("weir recording 1\n".utf8)
    /// Bytes of one record; no input is larger than a list of channels.
    package static let recordBytes = 80 * 1024 * 1024

    enum Kind: UInt8 {
        case start = 1
        case input = 2
        case result = 3
        case end = 4
    }

    /// What a core is made of.
    package struct Start: Sendable {
        package var settings: AgentSettings
        /// The core's limits as text: they are not set by users, so a recording is replayed with equal ones or not.
        package var limits: String
        package var publicKey: [UInt8]
        package var identity: PeerID
        package var seed: UInt64

        package init(settings: AgentSettings, limits: Limits, publicKey: [UInt8], identity: PeerID, seed: UInt64) {
            self.settings = settings
            self.limits = "\(limits)"
            self.publicKey = publicKey
            self.identity = identity
            self.seed = seed
        }
    }

    /// What the signer answered while an input was handled. The key itself is never written.
    package enum SignerAnswer: Hashable, Sendable {
        case signature(over: Digest, [UInt8])
        /// `question` is the digest of signature, statement and key.
        case verified(question: Digest, Bool)
        case identity(ofKey: [UInt8], PeerID?)

        /// The digest that names a question to `Signer.verify`.
        package static func question(_ signature: [UInt8], over digest: Digest, publicKey: [UInt8]) -> Digest {
            Digest.sha256(digest.bytes + publicKey + signature)
        }
    }

    /// What handling an input led to.
    package struct Result: Hashable, Sendable {
        package var answers: [SignerAnswer]
        package var outputs: [OutputMark]
        package var nextDeadline: Instant?

        package init(answers: [SignerAnswer], outputs: [OutputMark], nextDeadline: Instant?) {
            self.answers = answers
            self.outputs = outputs
            self.nextDeadline = nextDeadline
        }
    }

    package enum End: UInt8, Sendable {
        /// The agent stopped.
        case stopped = 0
        /// The file has the size that it may have; the agent went on.
        case full = 1
        /// The disk was slower than the inputs; the agent went on.
        case slow = 2
    }
}

/// Why bytes are no recording that can be replayed.
package enum RecordingError: Error, Hashable, CustomStringConvertible {
    case notARecording
    /// The record at this place, counted from 0, has other bytes than were written.
    case damaged(record: Int)
    /// A record that this version does not understand.
    case unknown(record: Int)
    /// Recorded by a core with other limits.
    case otherLimits

    package var description: String {
        switch self {
        case .notARecording: "this is no recording of an agent (weir play --record-inputs FILE makes one)"
        case .damaged(let record): "the recording is damaged at its record \(record)"
        case .unknown(let record): "record \(record) is not understood: the recording is of another version of weir"
        case .otherLimits: "the recording is of a version of weir with other limits"
        }
    }
}
