import ArgumentParser
import AsyncHTTPClient
import FoundationEssentials
import NIOCore
import NIOHTTP1
import WeirCore
import WeirLab
import WeirNet

/// What the largest and oddest manifests cost an agent.
struct SizesBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sizes",
        abstract: "Time and peak memory of an agent that opens playlists and manifests of hostile size.",
        discussion: """
            An agent that plays a small stream is asked for each of them, a fresh agent each time. The bounds: \
            \(SizesBench.secondsBound) s until the player has its answer, for which the event loop and so every \
            other player waits at most as long; and memory of \(SizesBench.memoryFactor) times the bytes that the \
            limit of a manifest lets in, \(Limits().manifestBytes >> 20) MiB. Ends with 1 when one is beyond.
            """
    )

    /// A target duration of the shorter streams: a longer wait could be a stall.
    fileprivate static let secondsBound = 2.0
    /// The document, its local form on the way to the player, and what was read of it.
    fileprivate static let memoryFactor = 10.0

    @Option(parsing: .upToNextOption, help: "Only documents whose name has one of these words.") var only: [String] = []

    func run() async throws {
        var table = TextTable([
            "document", "MiB", "answer", "seconds", "processor s", "others waited s", "peak memory MiB more",
        ])
        var isBeyond = false
        for document in HostileDocument.all where only.isEmpty || only.contains(where: { document.name.contains($0) }) {
            let size = (Double(document.bytes.count) / 1_048_576).fixed(1)
            guard let cost = try? await HostileStage(document).measure() else {
                // One that kills the agent, or hangs it, is the worst of all, and no reason to leave out the others.
                isBeyond = true
                table.add([document.name, size, "the agent died or hung", "", "", "", ""])
                continue
            }
            let memory = Double(cost.memoryBytes) / 1_048_576
            let bound = SizesBench.memoryFactor * Double(Limits().manifestBytes >> 20)
            isBeyond = isBeyond || !cost.isAnswered || cost.seconds > SizesBench.secondsBound || memory > bound
            table.add([
                document.name, size, cost.answer, cost.seconds.fixed(2),
                cost.processorSeconds.fixed(2), cost.othersWaited.fixed(2), memory.fixed(0),
            ])
        }
        table.add([
            "bound", "", "", SizesBench.secondsBound.fixed(2), "", SizesBench.secondsBound.fixed(2),
            (SizesBench.memoryFactor * Double(Limits().manifestBytes >> 20)).fixed(0),
        ])
        print(table.text)
        if isBeyond { throw ExitCode(1) }
    }
}

/// A manifest that is as large, or as costly to read, as somebody could make it.
struct HostileDocument: Sendable {
    let name: String
    let bytes: [UInt8]

    static var all: [HostileDocument] { playlists + manifests }

    private init(_ name: String, _ parts: [String]) {
        self.name = name
        bytes = parts.flatMap { Array($0.utf8) }
    }

    private static let head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"

    private static var playlists: [HostileDocument] {
        let token = String(repeating: "t", count: 40)
        let entry = { (number: Int) in "#EXTINF:2,\n\(number).ts?token=\(token)\n" }
        return [
            HostileDocument("playlist of a million lines", [head] + (0..<500_000).map { "#EXTINF:2,\n\($0).ts\n" }),
            HostileDocument("playlist of 200,000 segments, as many as are taken", [head] + (0..<200_000).map(entry)),
            HostileDocument("playlist of 100 MB", [head] + (0..<1_600_000).map(entry)),
            HostileDocument("playlist of a million comments", [head, text("#\n", 2_000_000), "#EXTINF:2,\na\n"]),
            HostileDocument("playlist with one line of 15 MiB", [head, "#EXTINF:2,\n", text("../", 15 << 20), "\n"]),
            HostileDocument("playlist with quotes of 15 MiB", [head, "#EXT-X-KEY:", text("A=\"\",", 15 << 20), "\n"]),
            HostileDocument(
                "multivariant playlist of 100,000 variants",
                ["#EXTM3U\n"] + (0..<100_000).map { "#EXT-X-STREAM-INF:BANDWIDTH=\($0)\n\($0).m3u8\n" }
            ),
        ]
    }

    private static let timeline = "<SegmentTemplate media='$Time$.m4s'><SegmentTimeline>"
    private static let timelineEnd = "</SegmentTimeline></SegmentTemplate>"

    private static var manifests: [HostileDocument] {
        let gaps = (0..<490_000).map { "<S t='\($0 * 3)' d='2'/>" }
        let entries = timeline + text("<S d='2'/>", 2_300) + timelineEnd
        let many = "<Representation id='r' bandwidth='1'>\(entries)</Representation>"
        let repeats = text("<S d='1' r='1000000000'/>", 250_000)
        let entities = "<!ENTITY a '\(text("a", 1 << 20))'><!ENTITY b '\(text("&a;", 1 << 20))'>"
        return [
            mpd("manifest of a million timeline entries", [timeline, text("<S d='1'/>", 10_000_000), timelineEnd]),
            mpd("manifest of 490,000 entries, nearly as many as are taken", [timeline] + gaps + [timelineEnd]),
            mpd("manifest of 10,000 entries with 10⁹ repeats", [timeline, repeats, timelineEnd]),
            mpd(
                "manifest of 2,000 representations with timelines",
                [String(repeating: many, count: 2_000)],
                wrapped: false
            ),
            mpd("manifest nested without end", [text("<a>", 10 << 20)]),
            mpd("manifest of 15 MiB of attributes", ["<a ", text("b='1' ", 15 << 20), "/>"]),
            mpd("manifest of 15 MiB of text", [text("&amp;", 15 << 20)]),
            mpd("manifest of opened comments", [text("<!--", 15 << 20)]),
            mpd("manifest of 100 MB", [timeline, text("<S d='1'/>", 100_000_000), timelineEnd]),
            HostileDocument("manifest with an entity bomb", ["<!DOCTYPE MPD [\(entities)]><MPD>&b;</MPD>"]),
        ]
    }

    /// - Parameter wrapped: in a representation.
    private static func mpd(_ name: String, _ inner: [String], wrapped: Bool = true) -> HostileDocument {
        let root = "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011' mediaPresentationDuration='PT1H'>"
        let head = root + "<Period><AdaptationSet>"
        let open = wrapped ? "<Representation id='v' bandwidth='1'>" : ""
        let close = wrapped ? "</Representation>" : ""
        return HostileDocument(name, [head, open] + inner + [close, "</AdaptationSet></Period></MPD>"])
    }

    private static func text(_ unit: String, _ bytes: Int) -> String {
        String(repeating: unit, count: bytes / unit.utf8.count)
    }
}

/// An agent that plays a small stream, and the origin that has the hostile one.
private struct HostileStage {
    struct Cost {
        var answer: String
        /// The player got a whole answer, if only a refusal.
        var isAnswered: Bool
        var seconds: Double
        var processorSeconds: Double
        /// The longest that another request took meanwhile.
        var othersWaited: Double
        /// Above the most that the agent had needed before.
        var memoryBytes: Int64
    }

    private let document: HostileDocument

    init(_ document: HostileDocument) {
        self.document = document
    }

    func measure() async throws -> Cost {
        let origin = try await LabOrigin.start(HostileContent(document.bytes))
        let agent = try await AgentProcess.play(
            origin.url + "/small.m3u8",
            flags: [
                "--allow-url", origin.url + "/", "--swarm-port", "off", "--log-level", "error", "--listen",
                "127.0.0.1:0",
            ],
            program: BenchProgram.weir()
        )
        let cost: Cost
        do {
            cost = try await measure(agent, origin)
        } catch {
            await agent.stop()
            await origin.stop()
            throw error
        }
        await agent.stop()
        await origin.stop()
        return cost
    }

    private func measure(_ agent: AgentProcess, _ origin: LabOrigin) async throws -> Cost {
        let process = agent.process.identifier
        _ = try await agent.statistics()
        let memory = HostileStage.peak(of: process)
        let processor = ProcessClock.seconds(of: process) ?? 0
        let others = Task {
            var longest = 0.0
            while !Task.isCancelled {
                let begin = ProcessClock.monotonic
                let isServed = (try? await agent.statistics()) != nil
                guard !Task.isCancelled else { break }
                longest = max(longest, ProcessClock.monotonic - begin)
                guard isServed else { break }
                try? await Task.sleep(for: .milliseconds(2))
            }
            return longest
        }
        let begin = ProcessClock.monotonic
        let (answer, isAnswered) = try await answer(from: agent, origin)
        let seconds = ProcessClock.monotonic - begin
        others.cancel()
        return Cost(
            answer: answer,
            isAnswered: isAnswered,
            seconds: seconds,
            processorSeconds: (ProcessClock.seconds(of: process) ?? 0) - processor,
            othersWaited: await others.value,
            memoryBytes: HostileStage.peak(of: process) - memory
        )
    }

    /// What the player gets, in a few words; redirects are followed, and half a minute is waited for.
    private func answer(from agent: AgentProcess, _ origin: LabOrigin) async throws -> (String, isWhole: Bool) {
        let local = try WebAddress(agent.playbackURL).address
        let request = HTTPClientRequest(url: "http://\(local)/play?url=\(origin.url)/hostile")
        guard let response = try? await HTTPClient.shared.execute(request, timeout: .seconds(30)) else {
            return ("none", false)
        }
        var count = 0
        do {
            for try await part in response.body { count += part.readableBytes }
        } catch {
            return ("cut", false)
        }
        let isPlaylist = response.status == .ok
        return (isPlaylist ? "\((Double(count) / 1_048_576).fixed(1)) MiB" : "\(response.status.code)", true)
    }

    /// The most resident memory that a process ever had (proc_pid_status(5)).
    private static func peak(of process: Int32) -> Int64 {
        let line = SmallProcFile.text("/proc/\(process)/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        let words = line?.split(whereSeparator: { $0 == " " || $0 == "\t" }) ?? []
        return (words.dropFirst().first.flatMap { Int64($0) } ?? 0) * 1024
    }
}

private struct HostileContent: OriginContent {
    private let hostile: OriginResource
    private let small: OriginResource

    init(_ bytes: [UInt8]) {
        hostile = OriginResource(
            bytes: ByteBuffer(bytes: bytes),
            contentType: "application/octet-stream",
            changes: true
        )
        let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n0.ts\n#EXT-X-ENDLIST\n"
        small = OriginResource(
            bytes: ByteBuffer(string: list),
            contentType: "application/vnd.apple.mpegurl",
            changes: true
        )
    }

    func resource(path: String) async -> OriginResource? {
        switch path {
        case "/hostile": hostile
        case "/small.m3u8": small
        default: nil
        }
    }
}
