internal import Crypto
internal import FoundationEssentials
internal import NIOSSL
internal import SwiftASN1
package import WeirCore
internal import X509

/// The agent's own P-256 key (FIPS 186-5), and the self-signed certificate that carries it into TLS.
///
/// Nobody vouches for the certificate and nobody reads its names or dates: a peer *is* its key, and the handshake proves
/// that it owns it.
package struct Identity: Signer {
    let key: P256.Signing.PrivateKey
    /// SHA-256 of the key's SubjectPublicKeyInfo.
    package let id: PeerID
    package let publicKey: [UInt8]

    /// A new key, for as long as the process runs.
    package init() {
        self.init(key: P256.Signing.PrivateKey())
    }

    init(key: P256.Signing.PrivateKey) {
        self.key = key
        id = Identity.id(of: key.publicKey)
        publicKey = Array(key.publicKey.x963Representation)
    }

    /// ECDSA with SHA-256 over the digest's 32 bytes, as r ‖ s: 64 bytes. A key that cannot sign gives an empty
    /// signature, which nobody accepts.
    package func sign(_ digest: WeirCore.Digest) -> [UInt8] {
        guard let signature = try? key.signature(for: digest.bytes) else { return [] }
        return Array(signature.rawRepresentation)
    }

    package func verify(_ signature: [UInt8], over digest: WeirCore.Digest, publicKey: [UInt8]) -> Bool {
        guard let key = try? P256.Signing.PublicKey(x963Representation: publicKey),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature)
        else { return false }
        return key.isValidSignature(signature, for: digest.bytes)
    }

    package func identity(ofKey publicKey: [UInt8]) -> PeerID? {
        guard let key = try? P256.Signing.PublicKey(x963Representation: publicKey) else { return nil }
        return Identity.id(of: key)
    }

    private static func id(of key: P256.Signing.PublicKey) -> PeerID {
        PeerID(.sha256(Array(key.derRepresentation)))
    }

    /// Who a certificate's key belongs to, nil when the key is no P-256 key in its one usual encoding: a second encoding
    /// of the same key would be a second identity.
    static func owner(of certificate: NIOSSLCertificate) -> (id: PeerID, publicKey: [UInt8])? {
        guard let encoded = try? certificate.extractPublicKey().toSPKIBytes(),
            let key = try? P256.Signing.PublicKey(derRepresentation: encoded),
            Array(key.derRepresentation) == encoded
        else { return nil }
        return (id(of: key), Array(key.x963Representation))
    }

    /// PKCS #8 in DER, for TLS. Never leaves the process.
    package var privateKeyBytes: [UInt8] { Array(key.derRepresentation) }

    /// A certificate for this key, DER. Its dates reach from 1970 to the end of year 9999 (RFC 5280 4.1.2.5), because
    /// boxes without a clock exist and a key has no age.
    package func certificate() throws -> [UInt8] {
        let name = try DistinguishedName { CommonName("weir") }
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: Certificate.PublicKey(key.publicKey),
            notValidBefore: Date(timeIntervalSince1970: 0),
            notValidAfter: Date(timeIntervalSince1970: 253_402_300_799),
            issuer: name,
            subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions(),
            issuerPrivateKey: Certificate.PrivateKey(key)
        )
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }
}
