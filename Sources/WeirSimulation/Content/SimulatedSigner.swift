package import WeirCore

/// A key pair in name only: signatures derive from the key, the digest and a secret that the simulation keeps, so no
/// simulated agent can make another's, and none costs an elliptic curve.
package struct SimulatedSigner: Signer {
    package let publicKey: [UInt8]

    private static let secret: UInt64 = 0x452_821e_638d_0137
    private static let keyBytes = 65
    private static let signatureBytes = 71

    /// - Parameter number: equal numbers are equal keys.
    package init(number: UInt64) {
        publicKey = [4] + (0..<8).flatMap { SimulatedSigner.bytes(mixed(number, UInt64($0))) }
    }

    package var id: PeerID { PeerID(Digest(words: SimulatedSigner.words(publicKey))) }

    package func sign(_ digest: Digest) -> [UInt8] {
        SimulatedSigner.signature(of: digest, by: publicKey)
    }

    package func verify(_ signature: [UInt8], over digest: Digest, publicKey: [UInt8]) -> Bool {
        guard publicKey.count == SimulatedSigner.keyBytes else { return false }
        return signature == SimulatedSigner.signature(of: digest, by: publicKey)
    }

    package func identity(ofKey publicKey: [UInt8]) -> PeerID? {
        guard publicKey.count == SimulatedSigner.keyBytes, publicKey.first == 4 else { return nil }
        return PeerID(Digest(words: SimulatedSigner.words(publicKey)))
    }

    private static func signature(of digest: Digest, by key: [UInt8]) -> [UInt8] {
        let state = mixed(words(key).0 ^ secret, digest.prefix)
        var result: [UInt8] = []
        result.reserveCapacity(signatureBytes + 1)
        for place in 0..<9 { result += bytes(mixed(state, UInt64(place))) }
        result.removeLast()
        return result
    }

    private static func words(_ key: [UInt8]) -> (UInt64, UInt64, UInt64, UInt64) {
        var state: UInt64 = 0
        for byte in key { state = state &* 0x100_0000_01b3 ^ UInt64(byte) }
        return (mixed(state, 5), mixed(state, 6), mixed(state, 7), mixed(state, 8))
    }

    private static func bytes(_ word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
    }
}
