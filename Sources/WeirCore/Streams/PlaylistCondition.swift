/// How a playlist is doing, for reports: odd playlists are states with a reason, not errors.
///
/// `unread → current`; `current ⇄ stale`, `current ⇄ rolledBack`, `current ⇄ early`, `current ⇄ failing`; `current →
/// restarted → current`; any → `ended`, which only a restart leaves.
enum PlaylistCondition: Equatable {
    case unread
    case current
    /// Nothing was added for three target durations.
    case stale
    /// A copy from before the last one arrived; the last one stays.
    case rolledBack(to: UInt64)
    /// Its numbers began anew.
    case restarted
    /// It lists a segment that is not there yet.
    case early(UInt64)
    case failing(String)
    /// EXT-X-ENDLIST.
    case ended

    var name: String {
        switch self {
        case .unread: "unread"
        case .current: "current"
        case .stale: "stale"
        case .rolledBack: "rolled back"
        case .restarted: "restarted"
        case .early: "ahead of its segments"
        case .failing: "failing"
        case .ended: "ended"
        }
    }

    /// Empty when there is nothing to explain.
    var reason: String {
        switch self {
        case .unread, .current, .ended: ""
        case .stale: "nothing was added for three target durations"
        case .rolledBack(let number): "the origin sent an older copy that ends with segment \(number)"
        case .restarted: "its media sequence numbers began anew"
        case .early(let number): "the origin lists segment \(number) and answers 404"
        case .failing(let why): why
        }
    }
}
