/// A parser of what others send, and what must hold for whatever bytes it is given.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// HLS playlists: parsed, rewritten, and read again as a player would.
    case playlist
    /// DASH manifests, the same way.
    case mpd
    /// DASH segment indexes: a chain of `sidx` boxes, and the manifest that they complete.
    case sidx
    /// Frames of the wire protocol: decoded, encoded and decoded again.
    case frame
    /// Session descriptions from trackers: read, written and read again.
    case sdp
    /// URLs, references, local paths, ranges and queries: one kind per line.
    case url
    /// Lists of channels.
    case m3u
    /// JSON of trackers and of their clients.
    case tracker

    /// - Returns: what does not hold, in one line; nil when all does, as it does when the bytes are refused in order.
    package func fault(in bytes: [UInt8]) -> String? {
        do throws(Fault) {
            switch self {
            case .playlist: try PlaylistRules.check(bytes)
            case .mpd: try ManifestRules.check(bytes)
            case .sidx: try IndexRules.check(bytes)
            case .frame: try FrameRules.check(bytes)
            case .sdp: try SessionDescriptionRules.check(bytes)
            case .m3u: try ChannelRules.check(bytes)
            case .tracker: try TrackerRules.check(bytes)
            case .url: try AddressRules.check(bytes)
            }
            return nil
        } catch {
            return error.text
        }
    }
}

/// Something that should hold does not.
struct Fault: Error {
    let text: String

    init(_ text: String) {
        self.text = text
    }
}

func demand(_ condition: Bool, _ text: @autoclosure () -> String) throws(Fault) {
    if !condition { throw Fault(text()) }
}

/// - Parameter what: names what both are.
func demandEqual<Value: Equatable>(_ found: Value, _ expected: Value, _ what: @autoclosure () -> String) throws(Fault) {
    if found != expected { throw Fault("\(what()): \(found) and not \(expected)") }
}

/// Lists of texts are compared one by one, so that the fault names the first that differs.
func demandEqual(_ found: [String], _ expected: [String], _ what: @autoclosure () -> String) throws(Fault) {
    for (one, other) in zip(found, expected) { try demandEqual(one, other, what()) }
    try demandEqual(found.count, expected.count, "count of " + what())
}
