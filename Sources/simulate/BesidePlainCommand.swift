import ArgumentParser
import WeirCore
import WeirSimulation

/// `simulate beside-plain`: weir beside players without peers, scenario by scenario.
struct BesidePlainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "beside-plain",
        abstract: "Scenarios beside players without peers on the same seeds: stalls, seconds of them, and starts.",
        discussion: """
            A row for each scenario file, or for what flags alone say. The goal: where the origin could serve everybody \
            one and a half times over, no run with more stalls than plain players have on its seed, else no more \
            seconds of them in sum; a median start of at most 1.02 times theirs, in the median over seeds; and stalls \
            at most as many as `goal stalls` of the file allows.
            """
    )

    @Argument(help: "Scenario files (Fixtures/scenarios).")
    var files: [String] = []
    @Option(help: "First seed.")
    var seed: UInt64 = 1
    @Option(help: "How many seeds of each scenario, from --seed on; without it as many as the file says.")
    var seeds: Int?
    @OptionGroup(title: "What a scenario file says, too")
    var keys: ScenarioFlags

    func run() throws {
        var table = BesidePlainTable()
        print(table.head)
        for path in files.isEmpty ? [nil] : files.map(Optional.some) {
            let file = try scenarioFile(path)
            for seed in seed..<seed + UInt64(max(1, seeds ?? file.seeds)) {
                let runs = [Scenario.Policy.weir, .plain].map { policy in
                    var scenario = file.scenario
                    scenario.seed = seed
                    scenario.policy = policy
                    return Simulation(scenario).run()
                }
                table.add(weir: runs[0], plain: runs[1], seed: seed)
            }
            print(table.row(of: file, name: name(of: path, file)))
        }
        for line in table.violations { StandardError.write("violated: \(line)\n") }
        guard table.violations.isEmpty else { throw ExitCode.failure }
    }

    private func scenarioFile(_ path: String?) throws -> ScenarioFile {
        do {
            var file = ScenarioFile()
            if let path { file = try ScenarioFile(parsing: TextFile.read(path)) }
            for (name, value) in keys.given { try file.set(name, value) }
            for line in keys.line { try file.read(line[...]) }
            try file.check()
            return file
        } catch let error as ScenarioError {
            throw ValidationError("\(path ?? "") \(error)")
        }
    }

    private func name(of path: String?, _ file: ScenarioFile) -> String {
        guard let path else { return "\(file.scenario.peers) viewers" }
        let last = path.split(separator: "/").last ?? "scenario"
        return String(last.prefix { $0 != "." })
    }
}
