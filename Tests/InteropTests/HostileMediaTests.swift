import FoundationEssentials
import Testing
import WeirLab
import WeirNet

extension InteropTests {
    /// Media that are no media, through the program that reads them: it says why or goes on, and never falls.
    @Suite struct HostileMediaTests {
        enum Shape: String, CaseIterable, Sendable {
            case truncatedTS, bitFlips, randomBytes, randomPackets, hugeBox, nestedBoxes, endlessTables, emptyFile
        }

        /// A small generator of its own: the same bytes on every machine.
        struct Noise {
            var state: UInt64
            mutating func next(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int((state >> 33) % UInt64(bound))
            }
            mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(next(256)) } }
        }

        private func box(_ type: String, _ body: [UInt8], size: UInt32? = nil) -> [UInt8] {
            word(size ?? UInt32(body.count + 8)) + Array(type.utf8) + body
        }

        private func word(_ value: UInt32) -> [UInt8] {
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
        }

        /// A track whose tables claim to have thousands of millions of entries.
        private var endlessTables: [UInt8] {
            let header = box("mdhd", word(0) + word(0) + word(0) + word(1000) + word(1000) + word(0))
            let handler = box("hdlr", word(0) + word(0) + Array("vide".utf8) + [UInt8](repeating: 0, count: 13))
            let entry = box("avc1", [UInt8](repeating: 0, count: 78))
            let tables =
                box("stsd", word(0) + word(1) + entry) + box("stts", word(0) + word(.max) + word(1) + word(1))
                + box("stsc", word(0) + word(0x7FFF_FFFF) + word(1) + word(1) + word(1))
                + box("stsz", word(0) + word(0) + word(0xFFFF_FFF0)) + box("stco", word(0) + word(0x3FFF_FFFF))
            let media = box("mdia", header + handler + box("minf", box("stbl", tables)))
            return box("ftyp", Array("isom".utf8) + word(0)) + box("moov", box("trak", media))
        }

        private func file(_ shape: Shape, _ noise: inout Noise) throws -> [UInt8] {
            var segment = try readBytes(Media.segmentPath(noise.next(30)))
            switch shape {
            case .truncatedTS: return Array(segment.prefix(noise.next(segment.count)))
            case .bitFlips:
                for _ in 0..<(1 + segment.count / 500) {
                    segment[noise.next(segment.count)] ^= UInt8(1 << noise.next(8))
                }
                return segment
            case .randomBytes: return noise.bytes(1 + noise.next(200_000))
            case .randomPackets: return (0..<500).flatMap { _ in [0x47] + noise.bytes(187) }
            case .hugeBox:
                return box("ftyp", Array("isom".utf8) + word(0)) + box("moov", noise.bytes(4000), size: 0x7FFF_FFFF)
            case .nestedBoxes:
                let inner = (0..<2000).reduce([UInt8]()) { body, _ in box("trak", body) }
                return box("ftyp", Array("isom".utf8) + word(0)) + box("moov", inner)
            case .endlessTables: return endlessTables
            case .emptyFile: return []
            }
        }

        private func write(_ bytes: [UInt8], _ path: String) throws {
            try Data(bytes).write(to: URL(fileURLWithPath: path))
        }

        @Test(
            "The program that reads media ends with what it has, or with a reason, whatever it is given",
            .needs("nginx"),
            .timeLimit(.minutes(3)),
            arguments: Shape.allCases
        )
        func reader(shape: Shape) async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                var noise = Noise(state: UInt64(Shape.allCases.firstIndex(of: shape) ?? 0) &* 77 &+ 5)
                let suffix = [.hugeBox, .nestedBoxes, .endlessTables].contains(shape) ? "mp4" : "ts"
                let nginx = try await stage.nginx(root: stage.directory)
                for round in 0..<3 {
                    var list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
                    for number in 0..<4 {
                        let name = "\(round)-\(number).\(suffix)"
                        try write(try file(shape, &noise), "\(stage.directory)/\(name)")
                        list += "#EXTINF:2,\n\(name)\n"
                    }
                    try write(Array((list + "#EXT-X-ENDLIST\n").utf8), "\(stage.directory)/\(round).m3u8")
                    for format in ["ts", "mp4"] {
                        let command = [Programs.weir + "-media", "remux", "\(nginx.url)/\(round).m3u8", "--plain"]
                        let file = "\(stage.directory)/out"
                        let shell = ["sh", "-c", "\"$@\" > \(file)", "sh"] + command + ["--format", format]
                        let result = try await stage.run(shell, within: 60)
                        // 65: it said why it cannot go on. A signal would be 128 and more.
                        #expect([0, 65].contains(result.code), "\(shape) \(round) \(format): \(result.code)")
                        #expect(result.code == 0 || result.errors.contains("cannot remux: "))
                    }
                }
            }
        }

        @Test(
            "An agent whose stream has hostile segments between good ones gives the good ones and stays",
            .needs("nginx", "curl")
        )
        func agent() async throws {
            try await Media.need("ts60")
            try await Stage.with { stage in
                var noise = Noise(state: 9)
                var list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
                let shapes: [Shape?] = [nil, .randomBytes, nil, .bitFlips, .truncatedTS, .randomPackets, nil]
                for (number, shape) in shapes.enumerated() {
                    let bytes = try shape.map { try file($0, &noise) } ?? readBytes(Media.segmentPath(number))
                    try write(bytes, "\(stage.directory)/\(number).ts")
                    list += "#EXT-X-DISCONTINUITY\n#EXTINF:2,\n\(number).ts\n"
                }
                try write(Array((list + "#EXT-X-ENDLIST\n").utf8), "\(stage.directory)/index.m3u8")
                let nginx = try await stage.nginx(root: stage.directory)
                let agent = try await stage.agent("\(nginx.url)/index.m3u8")
                let output = "\(stage.directory)/out.ts"
                let result = try await stage.run(["curl", "-sS", "-o", output, agent.address("live.ts")], within: 60)
                #expect(result.code == 0, "\(result.errors)")
                // Three good segments are more than two megabytes of their six seconds.
                let good =
                    Media.size(Media.segmentPath(0)) + Media.size(Media.segmentPath(2))
                    + Media.size(Media.segmentPath(6))
                #expect(Media.size(output) > good * 8 / 10, "\(Media.size(output)) of \(good)")
                #expect(try await agent.statistic("media_damaged_segments") > 0)
                #expect(agent.process.isRunning)
            }
        }

        /// `Scripts/bench hostile` does the same with many more.
        @Test(
            "Real segments made bad are remuxed, recorded, probed and shown, or it is said why not, within bounded memory",
            .needs("ffmpeg"),
            .timeLimit(.minutes(3)),
            arguments: HostileStream.Kind.allCases
        )
        func mutated(kind: HostileStream.Kind) async throws {
            try await Media.need("small-ts", "small-mp4", "small-aac")
            try await Stage.with { stage in
                let origin = try await stage.origin(try HostileStream(directory: Media.directory))
                for number in 0..<(Programs.isLong ? 200 : 4) {
                    for job in HostileTrial.Job.all(number) {
                        let trial = try await HostileTrial.run(
                            job,
                            origin.url + HostileStream.path(kind, number),
                            program: Programs.weir + "-media",
                            file: stage.directory + "/out"
                        )
                        #expect(trial.isClear, "\(kind) \(number) \(job): \(trial)")
                        // Its private memory is limited to 320 MiB; files that it maps come on top.
                        #expect(trial.peakBytes < 400 << 20, "\(kind) \(number) \(job): \(trial)")
                        // Number 0 is a good one; a stream of sound has no picture.
                        #expect(trial.code == 0 || number > 0 || kind == .aac && job == .picture, "\(kind) \(job)")
                    }
                }
            }
        }
    }
}
