import WeirLab

/// The media of `ts60` as a live stream without an end, at nginx.
struct LiveStream: Sendable {
    let packager: LivePackager
    let nginx: NginxOrigin

    var url: String { "\(nginx.url)/live/index.m3u8" }
}

extension Stage {
    /// Publishes it until the test ends.
    func live() async throws -> LiveStream {
        try await Media.need("ts60")
        let packager = try LivePackager(root: directory, sources: Media.segmentPaths)
        let nginx = try await nginx(root: directory)
        try await packager.start()
        atEnd { await packager.stop() }
        return LiveStream(packager: packager, nginx: nginx)
    }
}
