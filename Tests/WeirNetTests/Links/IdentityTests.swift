import FoundationEssentials
import Testing
import WeirCore
import WeirNet

@Suite("Identity")
struct IdentityTests {
    private func withTemporaryPath(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "weir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.appending(path: "identity.pem").path)
    }

    @Test("A signature proves its key and its digest, and nothing else")
    func signatures() {
        let signer = Identity()
        let digest = WeirCore.Digest.sha256([1, 2, 3])
        let signature = signer.sign(digest)
        #expect(signature.count == 64)
        #expect(signer.publicKey.count == 65)
        let other = Identity()
        #expect(other.verify(signature, over: digest, publicKey: signer.publicKey))
        #expect(!other.verify(signature, over: .sha256([1, 2]), publicKey: signer.publicKey))
        #expect(!other.verify(signature, over: digest, publicKey: other.publicKey))
        #expect(!other.verify([], over: digest, publicKey: signer.publicKey))
        #expect(!other.verify(signature, over: digest, publicKey: []))
        #expect(!other.verify(signature, over: digest, publicKey: [UInt8](repeating: 4, count: 65)))
    }

    @Test("The id is the digest of the key, whoever computes it")
    func identities() {
        let signer = Identity()
        #expect(Identity().identity(ofKey: signer.publicKey) == signer.id)
        #expect(Identity().identity(ofKey: [UInt8](repeating: 0, count: 65)) == nil)
        #expect(Identity().id != signer.id)
    }

    @Test("A kept identity is the same after a restart, and nobody else can read it")
    func kept() throws {
        try withTemporaryPath { path in
            let first = try Identity(keptAt: path)
            let second = try Identity(keptAt: path)
            #expect(first.id == second.id)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
    }

    @Test("An identity that others can read, or that is none, is refused with what to do about it")
    func refused() throws {
        try withTemporaryPath { path in
            _ = try Identity(keptAt: path)
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
            #expect(throws: IdentityFileError.exposed(path: path)) { try Identity(keptAt: path) }
            try Data("no key".utf8).write(to: URL(filePath: path))
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
            #expect(throws: IdentityFileError.notAKey(path: path)) { try Identity(keptAt: path) }
            #expect(throws: IdentityFileError.self) { try Identity(keptAt: path + "/below/it") }
        }
    }
}
