/// The agent's own key and the way to check others'. The shell's is P-256 ECDSA (FIPS 186-5); a simulation derives
/// signatures instead of computing them.
package protocol Signer: Sendable {
    /// X9.63 uncompressed point, 65 bytes.
    var publicKey: [UInt8] { get }
    func sign(_ digest: Digest) -> [UInt8]
    func verify(_ signature: [UInt8], over digest: Digest, publicKey: [UInt8]) -> Bool
    /// SHA-256 of the key's SubjectPublicKeyInfo, nil when the bytes are no key.
    func identity(ofKey publicKey: [UInt8]) -> PeerID?
}
