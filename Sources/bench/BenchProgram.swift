import FoundationEssentials
import WeirLab

/// The programs that are measured: those built beside this one.
enum BenchProgram {
    static func weir() throws -> String { try path(of: "weir") }

    static func media() throws -> String { try path(of: "weir-media") }

    private static func path(of name: String) throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = own.split(separator: "/").dropLast().map { "/" + $0 }.joined() + "/" + name
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw LabError("there is no program at \(path): build it first, as Scripts/bench does")
        }
        return path
    }

    /// A new directory, for files that `VODFiles` and others write; the caller removes it.
    static func temporaryDirectory() throws -> String {
        let path = "\(URL.temporaryDirectory.path())weir-bench-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}

/// Segments of random bytes and the playlist that lists them: what is measured here never looks inside media.
struct VODFiles {
    let names: [String]
    let playlist: String

    /// Writes `count` segments of `bytes` each, that are said to last `seconds` each.
    init(directory: String, prefix: String, count: Int, bytes: Int, seconds: Double) throws {
        var generator = SystemRandomNumberGenerator()
        var lines = [
            "#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:\(Int(seconds.rounded(.up)))",
            "#EXT-X-PLAYLIST-TYPE:VOD",
        ]
        var names: [String] = []
        for number in 0..<count {
            let name = "\(prefix)-\(number).ts"
            var data = Data(count: bytes)
            data.withUnsafeMutableBytes { buffer in
                for word in 0..<bytes / 8 {
                    buffer.storeBytes(of: generator.next(), toByteOffset: word * 8, as: UInt64.self)
                }
            }
            try data.write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
            names.append(name)
            lines += ["#EXTINF:\(seconds),", name]
        }
        lines.append("#EXT-X-ENDLIST\n")
        playlist = "\(prefix).m3u8"
        self.names = names
        try Data(lines.joined(separator: "\n").utf8).write(to: URL(fileURLWithPath: "\(directory)/\(playlist)"))
    }
}
