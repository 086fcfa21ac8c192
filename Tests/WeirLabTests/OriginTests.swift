import FoundationEssentials
import NIOCore
import Testing
import WeirCore

@testable import WeirLab

@Suite("Lab origin")
struct OriginTests {
    @Test(
        "A Range header asks for a part, the whole, or nothing that is there",
        arguments: [
            (nil, RequestedRange.whole), ("bytes=0-", .part(0..<10)), ("bytes=2-3", .part(2..<4)),
            ("bytes=5-99", .part(5..<10)), ("bytes=-3", .part(7..<10)), ("bytes=-99", .part(0..<10)),
            ("bytes=10-", .unsatisfiable), ("bytes=-0", .unsatisfiable), ("bytes=3-2", .whole),
            ("bytes=0-1,3-4", .whole), ("lines=0-1", .whole), ("bytes=a-b", .whole),
        ] as [(String?, RequestedRange)]
    )
    func ranges(header: String?, expected: RequestedRange) {
        #expect(RequestedRange(header: header, count: 10) == expected)
    }

    @Test("Base64 pads as RFC 4648 says")
    func base64Padding() {
        #expect(
            ["", "f", "fo", "foo", "foob"].map { base64(Array($0.utf8)) } == ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        )
    }

    @Test("The loop's list moves with the clock and marks where the recording starts over")
    func looping() throws {
        let content = LoopingContent(segments: (0..<4).map { ByteBuffer(bytes: [UInt8($0)]) })
        #expect(content.listed(elapsed: 0) == 0..<10)
        #expect(content.listed(elapsed: 1.9) == 0..<10)
        #expect(content.listed(elapsed: 6) == 3..<13)
        let first = content.playlist(elapsed: 0)
        #expect(first.contains("#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXTINF:2.0,\nlive-0.ts"))
        #expect(first.contains("live-3.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:2.0,\nlive-4.ts"))
        // Segment 4's own discontinuity is still in the list until segment 4 leaves it.
        #expect(content.playlist(elapsed: 8).contains("#EXT-X-DISCONTINUITY-SEQUENCE:0\n#EXT-X-DISCONTINUITY\n"))
        #expect(content.playlist(elapsed: 10).contains("#EXT-X-DISCONTINUITY-SEQUENCE:1\n#EXTINF"))
        #expect(Array(content.segment(6).readableBytesView) == [2])
        let playlist = try #require(ViewedPlaylist(first, url: "http://h/live.m3u8"))
        #expect(playlist.parts.count == 10)
    }

    @Test("A viewer gets every byte through a relay, and the origin's log says the same")
    func viewed() async throws {
        let bodies = (0..<3).map { number in ByteBuffer(repeating: UInt8(number), count: 200_000) }
        let origin = try await LabOrigin.start(ShortRecording(bodies: bodies))
        let relay = try await Relay.start(to: origin.address, Impairment(delay: .milliseconds(2)))
        let report = await HeadlessViewer(url: "http://\(relay.address)/index.m3u8").run()
        #expect(report.segments.map(\.digest) == bodies.map { Digest.sha256(Array($0.readableBytesView)) })
        #expect(report.errors == [])
        #expect(report.playback.state == .ended)
        #expect(report.mediaBytes == 600_000)
        await relay.stop()
        await origin.stop()
        #expect(origin.log.payloadBytes(suffix: ".ts") == 600_000)
        #expect(origin.log.entries.allSatisfy { $0.status == 200 })
    }

    @Test("Faults hit the paths they are set for, as often as they are set for")
    func faults() async throws {
        let origin = try await LabOrigin.start(ShortRecording(bodies: [ByteBuffer(repeating: 1, count: 200_000)]))
        origin.set(.status(503), prefix: "/0.ts", times: 1)
        let report = await HeadlessViewer(url: origin.url + "/index.m3u8").run()
        #expect(report.errors == ["503 from \(origin.url)/0.ts"])
        #expect(report.segments.count == 1)
        origin.set(.truncate(afterBytes: 1000), prefix: "/0.ts", times: 1)
        let second = await HeadlessViewer(url: origin.url + "/index.m3u8").run()
        #expect(second.segments.map(\.bytes) == [200_000])
        await origin.stop()
        let answers = origin.log.entries.filter { $0.path == "/0.ts" }
        #expect(answers.count { $0.status == 503 } == 1)
        // The viewer may close at the status line: how much of that body still left is no matter.
        #expect(answers.filter { $0.status == 200 }.map(\.bytes).sorted() == [1000, 200_000, 200_000])
    }
}

/// A VOD of very short segments, so that playing it takes no time.
private struct ShortRecording: OriginContent {
    var bodies: [ByteBuffer]

    func resource(path: String) async -> OriginResource? {
        if path == "/index.m3u8" {
            let parts = bodies.indices.map { "#EXTINF:0.02,\n\($0).ts\n" }.joined()
            let text = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n\(parts)#EXT-X-ENDLIST\n"
            return OriginResource(bytes: ByteBuffer(string: text), contentType: "application/vnd.apple.mpegurl")
        }
        guard let number = Int(path.dropFirst().dropLast(3)), bodies.indices.contains(number) else { return nil }
        return OriginResource(bytes: bodies[number], contentType: "video/mp2t")
    }
}

@Suite("Relay")
struct RelayTests {
    @Test("Bytes leave one after another at the rate, and arrive a delay later")
    func serialLink() {
        var link = SerialLink()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let slow = Impairment(bytesPerSecond: 1000, delay: .milliseconds(20))
        #expect(link.arrival(of: 100, at: start, slow) == start + .milliseconds(120))
        #expect(link.arrival(of: 100, at: start, slow) == start + .milliseconds(220))
        #expect(link.arrival(of: 100, at: start + .seconds(5), slow) == start + .milliseconds(5120))
        var fast = SerialLink()
        #expect(fast.arrival(of: 1_000_000, at: start, Impairment()) == start)
    }

    @Test("A cut closes what is open, and the next connection works")
    func cut() async throws {
        let origin = try await LabOrigin.start(ShortBody())
        let relay = try await Relay.start(to: origin.address)
        origin.set(.stall(afterBytes: 10), prefix: "/index.m3u8", times: 1)
        let viewing = Task { await HeadlessViewer(url: "http://\(relay.address)/index.m3u8").run() }
        while origin.log.entries.isEmpty {
            await relay.cut()
            await Task.yield()
        }
        let report = await viewing.value
        #expect(!report.errors.isEmpty)
        #expect(report.playback.state == .ended)
        await relay.stop()
        await origin.stop()
    }
}

private struct ShortBody: OriginContent {
    func resource(path: String) async -> OriginResource? {
        OriginResource(
            bytes: ByteBuffer(string: "#EXTM3U\n#EXT-X-ENDLIST\n"),
            contentType: "application/vnd.apple.mpegurl"
        )
    }
}

@Suite("nginx")
struct NginxOriginTests {
    @Test("A viewer's bytes stand in nginx's own log")
    func viewed() async throws {
        let root = "\(URL.temporaryDirectory.path())weir-test-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: root) }
        let playlist =
            "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:0.02,\n#EXT-X-BYTERANGE:1000@500\nall.ts\n#EXT-X-ENDLIST\n"
        try Data(playlist.utf8).write(to: URL(fileURLWithPath: root + "/index.m3u8"))
        try Data([UInt8](repeating: 7, count: 5000)).write(to: URL(fileURLWithPath: root + "/all.ts"))
        let nginx = try await NginxOrigin.start(root: root)
        let report = await HeadlessViewer(url: nginx.url + "/index.m3u8").run()
        #expect(report.errors == [])
        #expect(report.segments.map(\.digest) == [Digest.sha256([UInt8](repeating: 7, count: 1000))])
        let media = nginx.entries().filter { $0.path == "/all.ts" }
        #expect(media.map(\.bytes) == [1000])
        #expect(media.map(\.range) == ["bytes=500-1499"])
        #expect(media.map(\.status) == [206])
        await nginx.stop()
    }

    @Test("A line of the access log is read back")
    func line() {
        let entry = NginxOrigin.entry(line: "1700000000.123 206 512 bytes=0-511 /a/seg1.ts?x=1")
        #expect(
            entry
                == NginxOrigin.Entry(
                    time: 1_700_000_000.123,
                    status: 206,
                    bytes: 512,
                    range: "bytes=0-511",
                    path: "/a/seg1.ts"
                )
        )
        #expect(NginxOrigin.entry(line: "1.0 200 5 - /")?.range == nil)
        #expect(NginxOrigin.entry(line: "garbage") == nil)
    }
}
