import Crypto
import FoundationEssentials
import NIOSSL
import SwiftASN1
import X509

/// Certificates made for one test.
struct TestCertificate {
    enum Kind { case trusted, expired, future, selfSigned, otherName }

    /// The authority's certificate as a PEM file, for `OriginSettings.extraTrustRoots`.
    let authorityFile: String
    let server: TLSConfiguration

    init(_ kind: Kind, protocols: [String] = ["http/1.1"]) throws {
        let now = Date()
        let authorityKey = P256.Signing.PrivateKey()
        let key = P256.Signing.PrivateKey()
        let day = 86_400.0
        let authority = try Self.certificate(
            of: authorityKey,
            name: "Test authority",
            issuer: "Test authority",
            signedBy: authorityKey,
            from: now - 100 * day,
            to: now + 100 * day,
            isAuthority: true
        )
        let (from, to) =
            switch kind {
            case .expired: (now - 10 * day, now - day)
            case .future: (now + day, now + 10 * day)
            case .trusted, .selfSigned, .otherName: (now - day, now + day)
            }
        let isSelfSigned = kind == .selfSigned
        let leaf = try Self.certificate(
            of: key,
            name: kind == .otherName ? "other.example" : "localhost",
            issuer: isSelfSigned ? "localhost" : "Test authority",
            signedBy: isSelfSigned ? key : authorityKey,
            from: from,
            to: to,
            isAuthority: false
        )
        server = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try NIOSSLCertificate(bytes: leaf, format: .der))],
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: Array(key.derRepresentation), format: .der)),
            protocols: protocols
        )
        authorityFile = FileManager.default.temporaryDirectory.appending(path: "weir-test-\(UUID()).pem").path
        let text = "-----BEGIN CERTIFICATE-----\n\(Data(authority).base64EncodedString())\n-----END CERTIFICATE-----\n"
        try Data(text.utf8).write(to: URL(filePath: authorityFile))
    }

    func remove() { try? FileManager.default.removeItem(atPath: authorityFile) }

    private static func certificate(
        of key: P256.Signing.PrivateKey,
        name: String,
        issuer: String,
        signedBy signer: P256.Signing.PrivateKey,
        from: Date,
        to: Date,
        isAuthority: Bool
    ) throws -> [UInt8] {
        let certificate = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: .init(key.publicKey),
            notValidBefore: from,
            notValidAfter: to,
            issuer: try DistinguishedName { CommonName(issuer) },
            subject: try DistinguishedName { CommonName(name) },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                if isAuthority {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: nil))
                } else {
                    SubjectAlternativeNames([.dnsName(name)])
                }
            },
            issuerPrivateKey: .init(signer)
        )
        var serializer = DER.Serializer()
        try serializer.serialize(certificate)
        return serializer.serializedBytes
    }
}

extension TLSConfiguration {
    fileprivate static func makeServerConfiguration(
        certificateChain: [NIOSSLCertificateSource],
        privateKey: NIOSSLPrivateKeySource,
        protocols: [String]
    ) -> TLSConfiguration {
        var configuration = makeServerConfiguration(certificateChain: certificateChain, privateKey: privateKey)
        configuration.applicationProtocols = protocols
        return configuration
    }
}
