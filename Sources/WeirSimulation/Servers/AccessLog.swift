package import WeirCore

/// What a server sent, as its log would say: bytes count when the kernel took them, whether or not they arrived.
package struct AccessLog: Sendable {
    package var mediaBytes: Int64 = 0
    /// The part of `mediaBytes` before the warm-up was over.
    package var startUpBytes: Int64 = 0
    /// The part of `mediaBytes` after the warm-up that went to hostile agents.
    package var hostileBytes: Int64 = 0
    package var playlistBytes: Int64 = 0
    package var playlistRequests = 0
    package var mediaRequests = 0
    /// By segment, from `StreamShape.firstSequence`: requests with a body, and what was sent of it, in whole segments.
    package var requestsPerSegment: [Int] = []
    package var copiesPerSegment: [Double] = []
    /// When each was first asked for.
    package var firstAsked: [Instant?] = []

    mutating func noteRequest(_ sequence: UInt64, at now: Instant) {
        mediaRequests += 1
        let place = place(sequence)
        requestsPerSegment[place] += 1
        firstAsked[place] = firstAsked[place] ?? now
    }

    mutating func noteBytes(
        _ bytes: Int,
        ofWhole whole: Int,
        _ sequence: UInt64,
        isStartUp: Bool,
        isCounted: Bool
    ) {
        mediaBytes += Int64(bytes)
        if isStartUp { startUpBytes += Int64(bytes) }
        if !isStartUp, !isCounted { hostileBytes += Int64(bytes) }
        copiesPerSegment[place(sequence)] += Double(bytes) / Double(max(1, whole))
    }

    private mutating func place(_ sequence: UInt64) -> Int {
        let place = Int(sequence - StreamShape.firstSequence)
        while requestsPerSegment.count <= place {
            requestsPerSegment.append(0)
            copiesPerSegment.append(0)
            firstAsked.append(nil)
        }
        return place
    }
}
