import ArgumentParser
import FoundationEssentials
import WeirCore
import WeirLab
import WeirNet

/// One segment from five rate-shaped sources over real sockets, beside bound B6 and aria2c (BOUNDS T1).
struct RaceBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "race",
        abstract: "One segment from five rate-shaped sources: time beside bound B6 and beside aria2c, and waste.",
        discussion: """
            Times run from the player's request to its last byte. Every source stands behind a relay that limits its \
            rate and adds half of the round trip each way; the bound assumes warm connections without slow start, as \
            the relays give. "first" is a fresh agent's first segment, when it knows nothing of its sources; "then" \
            are seeks on the same agent. aria2c gets the same five servers and begins anew every time, as it does for \
            its users; its program's own start is subtracted. Goals: median ≤ 1.20, p95 ≤ 1.40, waste ≤ 2 %, and p95 \
            at least 1.5 × sooner than aria2c's.
            """
    )

    @Option(help: "Seeds: each draws its own rates.") var seeds = 20
    @Option(help: "The first seed.") var firstSeed: UInt64 = 1
    @Option(parsing: .upToNextOption, help: "Segment sizes in MiB.") var sizes: [Int] = [2, 8]
    @Option(parsing: .upToNextOption, help: "Round trips in ms.") var roundTrips: [Int] = [0, 40]
    @Option(
        parsing: .upToNextOption,
        help: "Sources: http (origin and four edges) or mixed (three peers, edge and origin)."
    )
    var sources: [RaceScene.Sources] = [.http, .mixed]
    @Option(help: "Median rate of a source in Mbit/s.") var rate = 20.0
    @Option(help: "Spread of the rates: deviation of their logarithm.") var sigma = 0.5
    @Flag(help: "Print every run.") var each = false

    func validate() throws {
        guard (1...1000).contains(seeds), sizes.allSatisfy({ (1...16).contains($0) }),
            roundTrips.allSatisfy({ (0...1000).contains($0) }), (1...1000).contains(rate), (0...2).contains(sigma)
        else { throw ValidationError("seeds 1…1000, sizes 1…16, round trips 0…1000, rate 1…1000, sigma 0…2") }
    }

    func run() async throws {
        let directory = try BenchProgram.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let start = try await Aria2.startSeconds()
        print(
            "sources: log-normal around \(rate) Mbit/s, sigma \(sigma), seeds \(firstSeed)…\(firstSeed + UInt64(seeds) - 1)"
        )
        print("aria2c's own start, subtracted: \((start * 1000).fixed(0)) ms\n")
        var table = TextTable([
            "sources", "MiB", "rtt ms", "runs", "T/B6 median", "p95", "first median", "p95", "waste %",
            "aria2c/B6 median",
            "p95", "p95 sooner ×",
        ])
        for kind in sources {
            for size in sizes {
                let files = try VODFiles(
                    directory: directory,
                    prefix: "r\(size)",
                    count: RaceScene.segments,
                    bytes: size << 20,
                    seconds: 6
                )
                for roundTrip in roundTrips {
                    let figures = try await measure(kind, files, directory, size, roundTrip, start)
                    table.add(figures.row(kind.rawValue, size, roundTrip))
                }
            }
        }
        print(table.text)
    }

    private func measure(
        _ kind: RaceScene.Sources,
        _ files: VODFiles,
        _ directory: String,
        _ size: Int,
        _ roundTrip: Int,
        _ ariaStart: Double
    ) async throws -> RaceFigures {
        let nginx = try await NginxOrigin.start(root: directory, sendfile: false, logs: false)
        var figures = RaceFigures()
        do {
            for seed in firstSeed..<firstSeed + UInt64(seeds) {
                let rates = RaceSources.rates(5, median: rate * 1e6 / 8, sigma: sigma, seed: seed)
                let scene = try await RaceScene.start(kind, nginx, files, rates: rates, roundTrip: roundTrip)
                do {
                    let bytes = Double(size << 20)
                    let run = try await scene.run(bytes: bytes, ariaStart: kind == .http ? ariaStart : nil)
                    figures.add(run)
                    if each {
                        let shares = rates.map { (100 * $0 / rates.reduce(0, +)).fixed(0) }.joined(separator: " ")
                        print("seed \(seed) rtt \(roundTrip) size \(size): sources \(shares) %, \(run)")
                    }
                } catch {
                    await scene.stop()
                    throw error
                }
                await scene.stop()
            }
        } catch {
            await nginx.stop()
            throw error
        }
        await nginx.stop()
        return figures
    }
}

/// One seed's times, each divided by the bound.
struct RaceRun: CustomStringConvertible {
    var bound: Double
    var first: Double
    var later: [Double]
    /// Parts of the segments' bytes.
    var waste: [Double]
    /// The origin's part, of every segment.
    var origin: [Double]
    /// The edges' part.
    var edges: [Double]
    var aria: Double?

    var description: String {
        "B6 \((bound * 1000).fixed(0)) ms, first \(first.fixed(2)), then "
            + later.map { $0.fixed(2) }.joined(separator: " ") + ", waste "
            + waste.map { (100 * $0).fixed(1) }.joined(separator: " ") + " %, origin "
            + origin.map { (100 * $0).fixed(0) }.joined(separator: " ") + " %, edges "
            + edges.map { (100 * $0).fixed(0) }.joined(separator: " ") + " %"
            + (aria.map { ", aria2c \($0.fixed(2))" } ?? "")
    }
}

struct RaceFigures {
    private var first = Samples()
    private var later = Samples()
    private var waste = Samples()
    private var aria = Samples()

    mutating func add(_ run: RaceRun) {
        first.append(run.first)
        later.append(contentsOf: Samples(run.later))
        waste.append(contentsOf: Samples(run.waste))
        if let ratio = run.aria { aria.append(ratio) }
    }

    func row(_ name: String, _ size: Int, _ roundTrip: Int) -> [String] {
        [
            name, String(size), String(roundTrip), String(later.count), later.median.fixed(2),
            later.quantile(0.95).fixed(2), first.median.fixed(2), first.quantile(0.95).fixed(2),
            (100 * waste.mean).fixed(2), aria.median.fixed(2), aria.quantile(0.95).fixed(2),
            (aria.quantile(0.95) / later.quantile(0.95)).fixed(2),
        ]
    }
}

/// aria2c as its users start it, with five mirrors of one file.
enum Aria2 {
    static func startSeconds() async throws -> Double {
        var times = Samples()
        for _ in 0..<5 {
            let begin = ProcessClock.monotonic
            _ = try await run(["--version"])
            times.append(ProcessClock.monotonic - begin)
        }
        return times.median
    }

    /// - Returns: seconds from the program's start to its end.
    static func fetch(_ urls: [String]) async throws -> Double {
        let directory = try BenchProgram.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let begin = ProcessClock.monotonic
        let code = try await run(
            [
                "-k", "1M", "-s", "5", "-x", "1", "--no-conf=true", "--file-allocation=none", "--quiet=true", "-d",
                directory, "-o", "segment",
            ] + urls
        )
        guard code == 0 else { throw LabError("aria2c ended with code \(code)") }
        return ProcessClock.monotonic - begin
    }

    private static func run(_ arguments: [String]) async throws -> Int32 {
        let process: ChildProcess
        do {
            process = try ChildProcess(["aria2c"] + arguments, output: .discarded, errors: .discarded, ownGroup: true)
        } catch {
            throw LabError("cannot start aria2c: \(error) (Scripts/setup installs it)")
        }
        return await process.exitCode()
    }
}
