import FoundationEssentials
import Testing
import WeirCore

/// The hand-written playlists of `Fixtures/playlists`, as if answered from one origin.
enum PlaylistFixture {
    static let names = [
        "aes128", "bom", "byterange", "crlf", "define", "define-master", "discontinuity", "drm", "event", "fmp4",
        "foreign-uris", "iframes",
        "live-tokens", "low-latency", "master", "master-queries", "steering", "subtitles", "unusual", "vod",
    ]

    static func url(_ name: String) -> WebURL {
        WebURL("https://origin.example.com/tv/one/\(name).m3u8?session=42")!
    }

    static func bytes(_ name: String) throws -> [UInt8] {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: repository.appending(path: "Fixtures/playlists/\(name).m3u8")))
    }

    static func media(_ name: String) throws -> MediaPlaylist {
        try parseMedia(bytes(name), url: url(name))
    }

    static func multivariant(_ name: String) throws -> MultivariantPlaylist {
        guard case .multivariant(let playlist) = try HLSPlaylist.parse(bytes(name), url: url(name), limits: Limits())
        else { throw UnexpectedKind() }
        return playlist
    }

    struct UnexpectedKind: Error {}
}

func parseMedia(_ bytes: [UInt8], url: WebURL, limits: Limits = Limits()) throws -> MediaPlaylist {
    guard case .media(let playlist) = try HLSPlaylist.parse(bytes, url: url, limits: limits) else {
        throw PlaylistFixture.UnexpectedKind()
    }
    return playlist
}

func parseMedia(_ text: String) throws -> MediaPlaylist {
    try parseMedia(Array(text.utf8), url: PlaylistFixture.url("text"))
}

/// Why a text is refused; nil when it is not.
func playlistRefusal(_ text: String, limits: Limits = Limits()) -> PlaylistError? {
    do throws(PlaylistError) {
        _ = try HLSPlaylist.parse(Array(text.utf8), url: PlaylistFixture.url("text"), limits: limits)
        return nil
    } catch {
        return error
    }
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

/// SplitMix64: a generator whose whole state is its seed.
struct PlaylistRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}
