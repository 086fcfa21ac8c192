/// What is known of a file that a stream is recorded into. It lies beside the file as a small text, written anew each second
/// or so; from it a recording goes on that was interrupted, also by a kill.
///
/// State: recording → complete, full or failed; recording and full may go on.
package struct CaptureJournal: Sendable, Hashable {
    package enum State: String, Sendable, CaseIterable {
        /// It goes on, or was cut off and can go on.
        case recording
        /// The stream's end, or the wanted length, is in the file.
        case complete
        /// The disk has no more space than is to be left free.
        case full
        /// The file cannot take what the stream is now.
        case failed
    }

    /// Media that should be in the file and are not.
    package struct Gap: Sendable, Hashable {
        /// Microseconds of the file's time.
        package var at: Int64
        /// Microseconds that are missing; nil: nobody can tell.
        package var length: Int64?

        package init(at: Int64, length: Int64?) {
            self.at = at
            self.length = length
        }
    }

    /// Where a rendition is read on.
    package struct Place: Sendable, Hashable {
        /// The segment that the newest packets in the file came from.
        package var segment: UInt64
        /// Of DASH: where its period begins, and how many there were before it.
        package var period: Duration?

        package init(segment: UInt64, period: Duration?) {
            self.segment = segment
            self.period = period
        }
    }

    /// How far a track is in the file.
    package struct Track: Sendable, Hashable {
        /// Decoding time of its newest packet, in ticks of the stream's container, wraps followed.
        package var last: Int64
        /// Of a second.
        package var tick: Fraction
        /// The same in ticks of the file.
        package var written: Int64

        package init(last: Int64, tick: Fraction, written: Int64) {
            self.last = last
            self.tick = tick
            self.written = written
        }
    }

    package struct Fraction: Sendable, Hashable {
        package var numerator: Int32
        package var denominator: Int32

        package init(_ numerator: Int32, _ denominator: Int32) {
            self.numerator = numerator
            self.denominator = denominator
        }
    }

    /// A point up to which everything is in the file: what a recording goes on from.
    package struct Point: Sendable, Hashable {
        /// The stream's timeline, what is added to its times, and where the file's time stands; microseconds.
        package var timeline: UInt64
        package var shift: Int64
        package var end: Int64
        /// Of the renditions, the main one first.
        package var places: [Place]
        package var tracks: [Track]

        package init(timeline: UInt64, shift: Int64, end: Int64, places: [Place], tracks: [Track]) {
            self.timeline = timeline
            self.shift = shift
            self.end = end
            self.places = places
            self.tracks = tracks
        }
    }

    /// Gaps that are told one by one; later ones only count.
    package static let mostGaps = 200
    /// Characters of a journal that is no longer believed to be one.
    package static let mostBytes = 64 * 1024

    package var format: ContinuousFormat
    /// Names the stream without telling its address: the stream's name at the agent.
    package var stream: String
    package var state = State.recording
    /// Why it is in that state; one line, empty when there is nothing to explain.
    package var reason = ""
    /// When it began.
    package var begun: WallTime
    /// Bytes of the file up to the point.
    package var bytes: Int64 = 0
    /// Pieces that they were written in; MP4 numbers its fragments.
    package var blocks: Int64 = 0
    /// Nil: nothing is in the file that could be gone on from.
    package var point: Point?
    package private(set) var gaps: [Gap] = []
    package private(set) var moreGaps = 0

    package init(format: ContinuousFormat, stream: String, begun: WallTime) {
        self.format = format
        self.stream = stream
        self.begun = begun
    }

    package mutating func add(_ gap: Gap) {
        if gaps.count < CaptureJournal.mostGaps { gaps.append(gap) } else { moreGaps += 1 }
    }

    /// Whether a recording of this stream may go on in the file.
    /// - Returns: why not; nil when it may.
    package func refusal(of stream: String, _ format: ContinuousFormat) -> String? {
        guard format == self.format else { return "the file was begun as \(self.format.rawValue)" }
        guard stream == self.stream else { return "another stream is in the file" }
        switch state {
        case .recording, .full: return nil
        case .complete: return "the file is complete"
        case .failed: return "the file cannot go on: \(reason)"
        }
    }
}
