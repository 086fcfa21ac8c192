import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A live packager for nginx to serve: a folder whose playlist slides on every two seconds over finished segments, with
/// a discontinuity where they start over. No encoder runs while something is measured.
package actor LivePackager {
    package static let segmentSeconds = 2
    /// Segments in the playlist; as many more stay on disk for those who read the list before.
    package static let window = 8

    package nonisolated let folder: String
    /// Segments published so far have smaller numbers.
    package private(set) var next = 0
    private let sources: [String]
    private var isFinished = false
    private var task: Task<Void, Never>?

    /// - Parameters:
    ///   - root: an existing directory; the stream is `live/index.m3u8` in it.
    ///   - sources: files of two seconds each, published in turn under new names.
    package init(root: String, sources: [String]) throws {
        precondition(!sources.isEmpty, "a packager needs something to publish")
        self.sources = sources
        folder = root + "/live"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    }

    /// Begins with a full window.
    package func start() throws {
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

    package func stop() { task?.cancel() }

    /// Ends the programme: EXT-X-ENDLIST.
    package func finish() throws {
        task?.cancel()
        isFinished = true
        try publish()
    }

    /// Which of the sources a media sequence number is.
    package nonisolated func source(_ number: Int) -> String { sources[number % sources.count] }
    package nonisolated static func path(_ number: Int) -> String { "/live/s\(number).ts" }

    private func publish() throws {
        let link = "\(folder)/s\(next).ts"
        guard symlink(source(next), link) == 0 else { throw LabError("no link \(link)") }
        next += 1
        unlink("\(folder)/s\(next - 1 - 2 * LivePackager.window).ts")
        let first = max(0, next - LivePackager.window)
        var lines = [
            "#EXTM3U", "#EXT-X-VERSION:3", "#EXT-X-TARGETDURATION:\(LivePackager.segmentSeconds)",
            "#EXT-X-MEDIA-SEQUENCE:\(first)", "#EXT-X-DISCONTINUITY-SEQUENCE:\(max(0, first - 1) / sources.count)",
        ]
        for number in first..<next {
            if number > 0, number % sources.count == 0 { lines.append("#EXT-X-DISCONTINUITY") }
            lines += ["#EXTINF:2.0,", "s\(number).ts"]
        }
        if isFinished { lines.append("#EXT-X-ENDLIST") }
        let text = Data((lines.joined(separator: "\n") + "\n").utf8)
        try text.write(to: URL(fileURLWithPath: folder + "/index.m3u8.new"))
        guard rename(folder + "/index.m3u8.new", folder + "/index.m3u8") == 0 else { throw LabError("no playlist") }
    }
}
