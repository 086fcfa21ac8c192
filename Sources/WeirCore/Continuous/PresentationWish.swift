/// What the address of a DASH manifest of the agent's may add for the agent's own programs: `?at=-600`, where in the past to
/// begin, and `?rendition=…`, the one representation that is to be read. Players' are the same without.
package struct PresentationWish: Sendable {
    package var at: TimeShift?
    package var rendition: RenditionKey?

    package init() {}

    /// What cannot be understood is left out.
    package init(query: String?) {
        for parameter in (query ?? "").split(separator: "&") {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let text = PercentEncoding.decode(parts[1]) else { continue }
            switch parts[0] {
            case "at": at = TimeShift(text)
            case "rendition": rendition = UInt64(text, radix: 16).map { RenditionKey($0) }
            default: break
            }
        }
    }
}

extension MPD {
    /// A moment of the past, since the presentation's start; nil when nothing tells where it lies.
    func moment(_ at: TimeShift, now: WallTime) -> Duration? {
        switch at {
        case .date(let date): return availabilityStart.map { (date - $0).orZero }
        case .beforeLive(let back):
            let end = isDynamic ? availabilityStart.map { now - $0 } : length
            return end.map { ($0 - back).orZero }
        }
    }

    /// Of a recording.
    private var length: Duration? {
        if let presentationDuration { return presentationDuration }
        return periods.last.flatMap { period in period.duration.map { period.start + $0 } }
    }
}
