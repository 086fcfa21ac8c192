import FoundationEssentials
import Testing
import WeirFuzz

/// The seeds of `Fixtures/fuzz` and every kept finding, held to what fuzzing demands.
@Suite("Fuzz corpus") struct FuzzCorpusTests {
    private static let fixtures: URL = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures")

    private static func inputs(of folder: String) -> [(name: String, bytes: [UInt8])] {
        let url = fixtures.appending(path: folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
        return names.sorted().compactMap { name in
            (try? Data(contentsOf: url.appending(path: name))).map { ("\(folder)/\(name)", Array($0)) }
        }
    }

    @Test(
        "F21 F23 F42 F54 F55 F56 Seeds of fuzzing and all that it found are read, or refused",
        arguments: FuzzTarget.allCases
    )
    func replay(target: FuzzTarget) {
        let seeds = FuzzCorpusTests.inputs(of: "fuzz/\(target.rawValue)")
        #expect(!seeds.isEmpty)
        for (name, bytes) in seeds + FuzzCorpusTests.inputs(of: "fuzz/findings/\(target.rawValue)") {
            let fault = target.fault(in: bytes)
            #expect(fault == nil, "\(name)")
        }
    }

    @Test("Other fixtures hold to the same", arguments: [(FuzzTarget.playlist, "playlists"), (.mpd, "manifests")])
    func fixtures(target: FuzzTarget, folder: String) {
        let inputs = FuzzCorpusTests.inputs(of: folder)
        #expect(inputs.count > 5)
        for (name, bytes) in inputs {
            let fault = target.fault(in: bytes)
            #expect(fault == nil, "\(name)")
        }
    }

    @Test("Seeds that end early are read, or refused", arguments: FuzzTarget.allCases)
    func damage(target: FuzzTarget) {
        // Each seed cut short at every place, as connections do.
        for (name, bytes) in FuzzCorpusTests.inputs(of: "fuzz/\(target.rawValue)") where bytes.count < 2000 {
            for count in stride(from: 0, to: bytes.count, by: 7) {
                let fault = target.fault(in: Array(bytes.prefix(count)))
                #expect(fault == nil, "\(name), \(count) bytes")
            }
        }
    }
}
