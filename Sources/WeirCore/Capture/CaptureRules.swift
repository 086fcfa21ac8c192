/// Notices what is missing between what was written and what comes next. Microseconds.
package struct GapWatch: Sendable {
    /// Encoders' rounding, and frames that were never there.
    private static let tolerance: Int64 = 500_000

    private var last: (timeline: UInt64, end: Int64, segment: UInt64?)?

    package init() {}

    /// What a recording that goes on has in its file.
    package init(timeline: UInt64, end: Int64, segment: UInt64?) {
        last = (timeline, end, segment)
    }

    /// A packet of the main track follows.
    /// - Parameters:
    ///   - time: on its timeline, as `end`, where it ends.
    ///   - segment: the number that its segment has, where numbers follow each other.
    /// - Returns: nil when nothing is missing; else how much, if that can be told: from one timeline to another it cannot.
    package mutating func next(timeline: UInt64, time: Int64, end: Int64, segment: UInt64?) -> Int64?? {
        defer { last = (timeline, max(end, time), segment) }
        guard let last else { return nil }
        guard last.timeline == timeline else {
            guard let before = last.segment, let segment else { return nil }
            // Further on, or numbered anew: in both cases something lies between.
            return segment == before || segment == before &+ 1 ? nil : .some(nil)
        }
        let missing = time.subtractingReportingOverflow(last.end)
        guard !missing.overflow, missing.partialValue > GapWatch.tolerance else { return nil }
        return .some(missing.partialValue)
    }
}

/// Lets nothing through that is in the file already: after an interruption a segment is read again from its beginning.
package struct PacketSieve: Sendable {
    private var last: Int64?

    package init() {}

    /// - Parameter last: decoding time of the newest packet in the file.
    package init(after last: Int64) { self.last = last }

    /// - Parameter time: decoding time of a packet that was read.
    package mutating func passes(_ time: Int64) -> Bool {
        guard let last else { return true }
        guard time > last else { return false }
        // From here on all is new, whatever its times.
        self.last = nil
        return true
    }
}

/// Whether a segment that could not be had is asked for again.
package enum SegmentRetry {
    /// Times that one is asked for at a recording's pace, and that one is whose origin says that it is not there.
    private static let patience = 40
    private static let patienceOnRefusal = 4

    /// - Parameters:
    ///   - attempts: that failed.
    ///   - isRefused: the origin says that it is not there (404, 410).
    ///   - isListed: the manifest still lists it.
    ///   - isLive: the manifest will stop to list it.
    package static func again(attempts: Int, isRefused: Bool, isListed: Bool, isLive: Bool) -> Bool {
        guard isListed else { return false }
        if isRefused { return attempts < patienceOnRefusal }
        return isLive || attempts < patience
    }
}

/// Space on the disk that a recording leaves free.
package struct FreeSpaceFloor: Sendable, Hashable {
    /// Bytes.
    package var floor: Int64

    package init(_ floor: Int64) { self.floor = floor }

    /// - Parameter free: bytes that are free now; nil: the system does not say, and the writing itself will.
    package func allows(_ count: Int, free: Int64?) -> Bool {
        guard let free else { return true }
        let rest = free.subtractingReportingOverflow(Int64(count))
        return !rest.overflow && rest.partialValue >= floor
    }
}

/// When a recording of limited length is over.
package struct CaptureLength: Sendable, Hashable {
    /// A live stream comes this much later than it is, at most; beyond that what is missing never comes.
    private static let patience = Duration.seconds(60)

    /// Nil: as long as the stream.
    package var length: Duration?

    package init(_ length: Duration?) { self.length = length }

    /// - Parameters:
    ///   - time: where the file's time stands, in microseconds.
    ///   - passed: since the recording began.
    ///   - isLive: the stream goes by the clock.
    package func isOver(time: Int64, passed: Duration, isLive: Bool) -> Bool {
        guard let length else { return false }
        return time >= length.nanoseconds / 1000 || isLive && passed >= length + CaptureLength.patience
    }
}
