import ArgumentParser
import WeirLab
import WeirSimulation

/// The simulator's transport model beside real sockets.
struct ScenesBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scenes",
        abstract: "A few small transfers in the simulator's transport model and on real sockets.",
        discussion: """
            Each scene runs with the same beginnings and pauses in the model and between network namespaces, whose \
            access links have token buckets (tc-tbf) for their rates and whose packets wait in a device of the lab's own \
            for their delay. The goal is a median finish within 10 % and a p95 within 20 %. Without the rights to make \
            namespaces (root, or unshare --user --map-root-user) relays on loopback stand in, for the scenes that \
            uplinks alone decide.
            """
    )

    @Option(help: "Repetitions of each scene.") var repetitions = 15
    @Option(help: "Only scenes whose name contains this.") var only = ""
    @Option(help: "The kernel's congestion control: cubic, reno, bbr; system for its default.") var congestion = "cubic"
    @Flag(help: "Relays on loopback instead of namespaces.") var relays = false
    @Flag(help: "Print every run.") var each = false

    func validate() throws {
        guard (1...1000).contains(repetitions) else { throw ValidationError("repetitions 1…1000") }
    }

    func run() async throws {
        let scenes = MicroScene.all.filter { only.isEmpty || $0.name.contains(only) }
        var isOnRelays = relays
        if !isOnRelays, let first = scenes.first {
            do {
                try await world(first, onRelays: false).stop()
            } catch {
                isOnRelays = true
                print("no network namespaces: \(error)")
            }
        }
        print(
            isOnRelays
                ? "relays on loopback: slow start does not see the round trip, only uplinks are shaped\n"
                : "namespaces, token buckets, delayed packets, \(congestion), \(repetitions) repetitions\n"
        )
        var table = TextTable([
            "scene", "model median s", "p95", "sockets median s", "p95", "median %", "p95 %", "within 10/20 %",
        ])
        for scene in scenes where !isOnRelays || scene.isDecidedByUplinks {
            table.add(try await row(scene, onRelays: isOnRelays))
        }
        print(table.text)
    }

    private func world(_ scene: MicroScene, onRelays: Bool) async throws -> SceneWorld {
        if onRelays { return try await .relays(scene) }
        return try await .namespaces(scene, congestion: congestion == "system" ? nil : congestion)
    }

    private func row(_ scene: MicroScene, onRelays: Bool) async throws -> [String] {
        var model = Samples()
        var real = Samples()
        for seed in 1...UInt64(repetitions) {
            let varied = scene.varied(seed: seed)
            guard let simulated = SimulatedScene.seconds(varied) else {
                throw LabError("\(scene.name) does not end in the model")
            }
            let world = try await world(varied, onRelays: onRelays)
            let measured: Double
            do {
                measured = try await RealScene.seconds(varied, in: world)
            } catch {
                await world.stop()
                throw error
            }
            await world.stop()
            model.append(simulated)
            real.append(measured)
            if each { print("\(scene.name), seed \(seed): model \(simulated.fixed(3)), sockets \(measured.fixed(3))") }
        }
        let median = 100 * (model.median / real.median - 1)
        let late = 100 * (model.quantile(0.95) / real.quantile(0.95) - 1)
        return [
            scene.name, model.median.fixed(3), model.quantile(0.95).fixed(3), real.median.fixed(3),
            real.quantile(0.95).fixed(3), median.signed, late.signed,
            onRelays ? "no gate" : abs(median) <= 10 && abs(late) <= 20 ? "yes" : "NO",
        ]
    }
}

extension Double {
    fileprivate var signed: String { (self < 0 ? "" : "+") + fixed(1) }
}
