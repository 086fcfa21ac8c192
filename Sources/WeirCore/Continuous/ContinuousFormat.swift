/// The containers that a stream can be had in as one file without an end.
package enum ContinuousFormat: String, Sendable, CaseIterable, Hashable {
    case ts, flv, mp4, mkv

    package var contentType: String {
        switch self {
        case .ts: "video/mp2t"
        case .flv: "video/x-flv"
        case .mp4: "video/mp4"
        case .mkv: "video/x-matroska"
        }
    }

    /// libavformat's name of it.
    package var muxer: String {
        switch self {
        case .ts: "mpegts"
        case .flv: "flv"
        case .mp4: "mp4"
        case .mkv: "matroska"
        }
    }
}
