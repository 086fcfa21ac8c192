import FoundationEssentials
import WeirLab

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A live packager for nginx to serve: a folder whose playlist slides on every two seconds over the segments of `ts60`,
/// with a discontinuity where they start over. No encoder runs while something is measured.
actor LivePackager {
    static let segmentSeconds = 2
    /// Segments in the playlist; as many more stay on disk for those who read the list before.
    static let window = 8

    nonisolated let folder: String
    /// Segments published so far have smaller numbers.
    private(set) var next = 0
    private let sourceCount = 30
    private var isFinished = false
    private var task: Task<Void, Never>?

    /// - Parameter root: an existing directory; the stream is `live/index.m3u8` in it.
    init(root: String) throws {
        folder = root + "/live"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Begins with a full window.
    func start() throws {
        for _ in 0..<LivePackager.window { try publish() }
        let begin = ContinuousClock.now
        task = Task {
            var count = 1
            while !Task.isCancelled {
                try? await Task.sleep(until: begin + .seconds(count * LivePackager.segmentSeconds))
                guard !Task.isCancelled else { return }
                try? self.publish()
                count += 1
            }
        }
    }

    func stop() { task?.cancel() }

    /// Ends the programme: EXT-X-ENDLIST.
    func finish() throws {
        task?.cancel()
        isFinished = true
        try publish()
    }

    /// Which of the source's segments a media sequence number is.
    nonisolated static func source(_ number: Int) -> Int { number % 30 }
    nonisolated static func path(_ number: Int) -> String { "/live/s\(number).ts" }

    private func publish() throws {
        let link = "\(folder)/s\(next).ts"
        guard symlink(Media.segmentPath(LivePackager.source(next)), link) == 0 else {
            throw LabError("no link \(link)")
        }
        next += 1
        unlink("\(folder)/s\(next - 1 - 2 * LivePackager.window).ts")
        let first = max(0, next - LivePackager.window)
        var lines = [
            "#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:\(LivePackager.segmentSeconds)",
            "#EXT-X-MEDIA-SEQUENCE:\(first)", "#EXT-X-DISCONTINUITY-SEQUENCE:\(max(0, first - 1) / sourceCount)",
        ]
        for number in first..<next {
            if number > 0, number % sourceCount == 0 { lines.append("#EXT-X-DISCONTINUITY") }
            lines += ["#EXTINF:2.0,", "s\(number).ts"]
        }
        if isFinished { lines.append("#EXT-X-ENDLIST") }
        let text = Data((lines.joined(separator: "\n") + "\n").utf8)
        try text.write(to: URL(fileURLWithPath: folder + "/index.m3u8.new"))
        guard rename(folder + "/index.m3u8.new", folder + "/index.m3u8") == 0 else { throw LabError("no playlist") }
    }
}
