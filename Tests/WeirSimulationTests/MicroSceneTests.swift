import Testing
import WeirSimulation

@Suite("Micro-scenes")
struct MicroSceneTests {
    /// Median seconds on real sockets: `Scripts/bench scenes` on 2026-11-21 (Linux 6.18, CUBIC, two cores of an AMD
    /// EPYC, fifteen repetitions). A change of the model that breaks this has left the kernel's ways.
    private static let measured = [
        "one cold transfer": 0.995,
        "a second one after 1 s of silence": 0.518,
        "two flows share one uplink": 1.402,
        "upload amid a download": 1.565,
        "download amid an upload": 1.081,
        "three sources into one downlink": 1.850,
        "cut-through over two hops": 1.135,
        // On 2026-11-28, the same kind of machine.
        "one uplink, one flow near and one far": 1.965,
        "a download dropped amid another": 1.232,
        "a source that ends in mid-chunk, then another": 1.119,
        "a paced flow beside a free one": 1.273,
        "a receiver that rests for 0.3 s": 1.078,
        "small messages amid an upload": 0.538,
    ]

    @Test("The model ends within 10 % of real sockets", arguments: MicroScene.all)
    func likeRealSockets(scene: MicroScene) throws {
        let real = try #require(Self.measured[scene.name], "measure \(scene.name) first")
        for seed in 1...5 as ClosedRange<UInt64> {
            let model = try #require(SimulatedScene.seconds(scene.varied(seed: seed)))
            #expect(abs(model / real - 1) < 0.1, "\(scene.name): \(model) s in the model, \(real) s on sockets")
        }
    }

    @Test("A scene is the same for a seed, and another for another")
    func variation() throws {
        let scene = try #require(MicroScene.all.first { $0.conversations.count > 1 })
        let starts = (1...3 as ClosedRange<UInt64>).map { scene.varied(seed: $0).conversations.map(\.start) }
        #expect(starts[0] == scene.varied(seed: 1).conversations.map(\.start))
        #expect(starts[0] != starts[1])
        #expect(SimulatedScene.seconds(scene.varied(seed: 1)) == SimulatedScene.seconds(scene.varied(seed: 1)))
    }
}
