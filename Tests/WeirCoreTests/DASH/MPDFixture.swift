import FoundationEssentials
import Testing
import WeirCore

/// The hand-written manifests of `Fixtures/manifests`, as if answered from one origin.
enum MPDFixture {
    static let names = [
        "index", "list", "live-number", "live-timeline", "number", "periods", "protected", "timeline",
    ]

    static let url = WebURL("https://origin.example.org/tv/one/manifest.mpd?session=42")!
    static let localURL = WebURL("http://127.0.0.1:8080/s/abc/manifest.mpd")!

    static func bytes(_ name: String) throws -> [UInt8] {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return Array(try Data(contentsOf: repository.appending(path: "Fixtures/manifests/\(name).mpd")))
    }

    static func mpd(_ name: String) throws -> MPD { try MPD.parse(bytes(name), url: url, limits: Limits()) }

    /// What a player gets.
    static func local(_ mpd: MPD) -> String { text(mpd.rewritten { "\($0.key.padded)/" }) }
}

func parseMPD(_ text: String, limits: Limits = Limits()) throws -> MPD {
    try MPD.parse(Array(text.utf8), url: MPDFixture.url, limits: limits)
}

/// Why a text is refused; nil when it is not.
func mpdRefusal(_ text: String, limits: Limits = Limits()) -> MPDError? {
    do throws(MPDError) {
        _ = try MPD.parse(Array(text.utf8), url: MPDFixture.url, limits: limits)
        return nil
    } catch {
        return error
    }
}

/// A manifest of one representation around what addresses its segments.
func oneRepresentation(_ inner: String, attributes: String = "", period: String = "") -> String {
    """
    <MPD xmlns="urn:mpeg:dash:schema:mpd:2011" \(attributes)><Period \(period)><AdaptationSet mimeType="video/mp4">\
    <Representation id="v" bandwidth="1000">\(inner)</Representation></AdaptationSet></Period></MPD>
    """
}

extension Representation {
    /// All segments, as far as there are no more than a few.
    var segments: [RepresentationSegment] {
        guard let last = table.lastPlace else { return [] }
        return (0...min(last, 1000)).compactMap { segment(at: $0) }
    }

    var names: [UInt64] { segments.map(\.name) }
}

extension Representation {
    /// The names of the first and the last segment that are there.
    func window(at time: WallTime?) -> [UInt64]? {
        available(at: time).map { window in [window.first, window.last].compactMap { segment(at: $0)?.name } }
    }
}
