import ArgumentParser
import FoundationEssentials
import WeirCore
import WeirLab
import WeirNet

/// The endpoint on cached segments beside nginx, read by the same reader (BOUNDS T8).
struct EndpointBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "endpoint",
        abstract: "Cached segments from the agent's endpoint and from nginx: bytes per server CPU-second.",
        discussion: """
            Every server is read in turn, several rounds, by one thread with one kept connection; medians of the \
            rounds. The goal is at least 1.1 × nginx with sendfile off, and a p99 of the time to first byte of at \
            most 1.5 × nginx's. On loopback, sendfile moves the copy to the reader: its CPU time stands beside.
            """
    )

    @Option(help: "Rounds; each reads every server once.") var rounds = 5
    @Option(help: "Seconds of one reading.") var seconds = 1.5
    @Option(help: "Sizes of segments in MiB.") var sizes: [Int] = [1, 4]
    @Flag(help: "Only the agent's endpoint, to profile it.") var alone = false

    func validate() throws {
        guard (1...100).contains(rounds), (0.1...60).contains(seconds), sizes.allSatisfy({ (1...16).contains($0) })
        else { throw ValidationError("rounds 1…100, seconds 0.1…60, sizes 1…16") }
    }

    func run() async throws {
        let directory = try BenchProgram.temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        for size in sizes {
            print("\nsegments of \(size) MiB, \(rounds) rounds of \(seconds) s each")
            print(try await measure(megabytes: size, directory))
        }
    }

    private func measure(megabytes: Int, _ directory: String) async throws -> String {
        let files = try VODFiles(
            directory: directory,
            prefix: "s\(megabytes)",
            count: max(2, 16 / megabytes),
            bytes: megabytes << 20,
            seconds: 2
        )
        let servers = try await MeasuredServer.start(files, directory, alone: alone)
        do {
            for _ in 0..<rounds {
                for server in servers { try await server.measure(seconds: seconds) }
            }
        } catch {
            for server in servers { await server.stop() }
            throw error
        }
        for server in servers { await server.stop() }
        return table(servers)
    }

    private func table(_ servers: [MeasuredServer]) -> String {
        var table = TextTable([
            "server", "MiB per server CPU s", "weir is", "reader CPU ms/GiB", "server CPU ms/GiB", "MiB/s",
            "first byte p50 µs", "p99 µs", "answers",
        ])
        let weir = servers.first { $0.name == "weir" }
        for server in servers {
            let ratio = (weir?.efficiency.median ?? .nan) / server.efficiency.median
            table.add([
                server.name,
                (server.efficiency.median / 1048576).fixed(0),
                server.name == "weir" ? "" : "× " + ratio.fixed(2),
                (server.reader.median * 1000).fixed(0),
                (1000 * 1073741824 / server.efficiency.median).fixed(0),
                (server.throughput.median / 1048576).fixed(0),
                (server.firstByte.median * 1e6).fixed(0),
                (server.firstByte.quantile(0.99) * 1e6).fixed(0),
                String(server.firstByte.count),
            ])
        }
        return table.text
    }
}

/// One server of the comparison, and what was measured on it.
final class MeasuredServer {
    let name: String
    private let address: PeerAddress
    private let paths: [String]
    private let processes: [Int32]
    private let end: () async -> Void
    /// Bytes per second of the server's processor time, one value a round.
    private(set) var efficiency = Samples()
    /// The reader's processor seconds per GiB.
    private(set) var reader = Samples()
    private(set) var throughput = Samples()
    private(set) var firstByte = Samples()

    init(name: String, address: PeerAddress, paths: [String], processes: [Int32], end: @escaping () async -> Void) {
        self.name = name
        self.address = address
        self.paths = paths
        self.processes = processes
        self.end = end
    }

    func stop() async { await end() }

    func measure(seconds: Double) async throws {
        let before = processes.compactMap { ProcessClock.seconds(of: $0) }.reduce(0, +)
        let reading = try await BlockingReader.read(paths, from: address, seconds: seconds)
        let used = processes.compactMap { ProcessClock.seconds(of: $0) }.reduce(0, +) - before
        guard used > 0, reading.bodyBytes > 0 else { throw LabError("\(name) used no processor time") }
        efficiency.append(Double(reading.bodyBytes) / used)
        reader.append(reading.processorSeconds / (Double(reading.bodyBytes) / 1073741824))
        throughput.append(Double(reading.bodyBytes) / reading.seconds)
        firstByte.append(contentsOf: reading.firstByte)
    }

    /// The agent with everything in its cache, and nginx in three ways of sending files.
    static func start(_ files: VODFiles, _ directory: String, alone: Bool) async throws -> [MeasuredServer] {
        var servers: [MeasuredServer] = []
        do {
            servers.append(try await weir(files, directory))
            let configurations = [
                ("nginx, sendfile off", false, ""),
                ("nginx, sendfile on", true, ""),
                ("nginx, sendfile and tcp_nopush on", true, "tcp_nopush on;"),
            ]
            for (name, sendfile, directives) in alone ? [] : configurations {
                let nginx = try await NginxOrigin.start(
                    root: directory,
                    sendfile: sendfile,
                    directives: directives,
                    logs: false
                )
                servers.append(
                    MeasuredServer(
                        name: name,
                        address: nginx.address,
                        paths: files.names.map { "/" + $0 },
                        processes: nginx.processes
                    ) { await nginx.stop() }
                )
            }
            // Everything is in the cache, or in the page cache, before anything is measured.
            for server in servers { try await server.warmUp() }
        } catch {
            for server in servers { await server.stop() }
            throw error
        }
        return servers
    }

    private static func weir(_ files: VODFiles, _ directory: String) async throws -> MeasuredServer {
        let origin = try await NginxOrigin.start(root: directory, sendfile: false, logs: false)
        do {
            let agent = try await AgentProcess.play(
                "\(origin.url)/\(files.playlist)",
                flags: ["--cache-memory", "96", "--listen", "127.0.0.1:0"],
                program: BenchProgram.weir(),
                errors: .discarded
            )
            let end = {
                await agent.stop()
                await origin.stop()
            }
            do {
                let playback = try WebAddress(agent.playbackURL)
                return MeasuredServer(
                    name: "weir",
                    address: playback.address,
                    paths: try await playback.listedPaths(),
                    processes: [agent.process.identifier],
                    end: end
                )
            } catch {
                await agent.stop()
                throw error
            }
        } catch {
            await origin.stop()
            throw error
        }
    }

    private func warmUp() async throws { _ = try await BlockingReader.read(paths, from: address, seconds: 0.5) }
}
