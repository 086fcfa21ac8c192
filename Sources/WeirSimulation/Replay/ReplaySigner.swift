import Synchronization
import WeirCore

/// Answers as a recorded agent's signer did, without its key.
final class ReplaySigner: Signer {
    private struct Memory {
        /// By what was signed, in their order: signatures differ each time.
        var signatures: [Digest: [[UInt8]]] = [:]
        var verdicts: [Digest: Bool] = [:]
        var identities: [[UInt8]: PeerID] = [:]
        var firstUnknown: String?
    }

    let publicKey: [UInt8]
    private let memory: Mutex<Memory>

    init(_ start: Recording.Start) {
        publicKey = start.publicKey
        memory = Mutex(Memory(identities: [start.publicKey: start.identity]))
    }

    /// What was answered while the next input was handled.
    func learn(_ answers: [Recording.SignerAnswer]) {
        memory.withLock { memory in
            for answer in answers {
                switch answer {
                case .signature(let over, let bytes): memory.signatures[over, default: []].append(bytes)
                case .verified(let question, let isValid): memory.verdicts[question] = isValid
                case .identity(let key, let id): memory.identities[key] = id
                }
            }
        }
    }

    /// The first question that the recorded core never asked, since the last call.
    func takeUnknown() -> String? {
        memory.withLock { memory in
            defer { memory.firstUnknown = nil }
            return memory.firstUnknown
        }
    }

    func sign(_ digest: Digest) -> [UInt8] {
        memory.withLock { memory in
            guard let first = memory.signatures[digest]?.first else {
                memory.firstUnknown = memory.firstUnknown ?? "a signature"
                return []
            }
            memory.signatures[digest]?.removeFirst()
            return first
        }
    }

    func verify(_ signature: [UInt8], over digest: Digest, publicKey: [UInt8]) -> Bool {
        let question = Recording.SignerAnswer.question(signature, over: digest, publicKey: publicKey)
        return memory.withLock { memory in
            if let verdict = memory.verdicts[question] { return verdict }
            memory.firstUnknown = memory.firstUnknown ?? "whether a signature holds"
            return false
        }
    }

    func identity(ofKey publicKey: [UInt8]) -> PeerID? {
        // A key that is none was recorded as such, by having no identity.
        memory.withLock { $0.identities[publicKey] }
    }
}
