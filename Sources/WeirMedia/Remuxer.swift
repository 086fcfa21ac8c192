import CLibAV
import WeirCore

/// Makes one continuous container out of the packets of one or two renditions.
///
/// A timeline at a time: all its packets in the order of their decoding, then the next timeline where it ended.
final class Remuxer {
    /// Media between two points at which the container is cut: what a reader waits for at most.
    private static let cut: Int64 = 250_000
    private static let cutBytes = 1024 * 1024
    /// Packets of a track in a row that the container may refuse until the stream is given up.
    private static let patience = 500

    private enum Place {
        case reading
        /// A container of another timeline is open; its tracks.
        case atNext([Demuxer.Track], UInt64)
        case over
    }

    private enum Mode: Equatable {
        /// What is live comes at the clock's speed, so much of it at once.
        case paced(WeirCore.Duration)
        /// From a place in the stream on, as fast as it is read.
        case sought
        /// All of it, as fast as it is read.
        case recorded
    }

    /// Microseconds of sound before the first picture that a recording keeps: encoders begin with it.
    private static let earlySound: Int64 = 100_000

    private let readers: [RenditionReader]
    private var places: [Place]
    private let format: ContinuousFormat
    private let sink: any RemuxSink
    private let muxer: Muxer
    private let isLive: Bool
    private let mode: Mode
    private var lanes: [Lane] = []
    private var timeline: MediaTimeline
    private var current: UInt64 = 0
    private var pace: MediaPace?
    private var delaysDescription = false
    private var hasBegun = false
    private var hasHeader = false
    /// Where an earlier process had come to; nil when that has been taken up.
    private var resumed: CaptureJournal.Point?
    private var hasResumed = false
    private var gaps = GapWatch()
    /// Whose packet was written last.
    private var newest: Lane?

    /// Of the block that is being written: where it began, and whether a decoder can begin there.
    private var blockTime: Int64 = 0
    private var blockIsStart = true
    private var blockBytes = 0

    /// - Parameters:
    ///   - readers: the main rendition, and the one of its sound where that is apart.
    ///   - begin: microseconds of the output's time at which it begins.
    ///   - lead: media of a live stream that leave before the clock's pace; nil: it begins where the main rendition was
    ///     asked to, and goes on as fast as it is read.
    convenience init(
        _ readers: [RenditionReader],
        format: ContinuousFormat,
        sink: any RemuxSink,
        begin: Int64,
        lead: WeirCore.Duration?
    ) throws {
        let mode = lead.map { Mode.paced($0) } ?? .sought
        try self.init(readers, try Muxer(format), format, sink, MediaTimeline(end: begin), mode)
    }

    /// Writes a file, as fast as the stream can be read.
    /// - Parameters:
    ///   - point: that an earlier process had come to; nil: the file begins.
    ///   - blocks: that it wrote.
    convenience init(
        recording readers: [RenditionReader],
        format: ContinuousFormat,
        sink: any RemuxSink,
        after point: CaptureJournal.Point?,
        blocks: Int64
    ) throws {
        if let point {
            for (reader, place) in zip(readers, point.places) {
                reader.source.resume(at: place, timeline: point.timeline)
            }
        }
        let timeline = point.map { MediaTimeline(end: $0.end, shift: $0.shift) } ?? MediaTimeline()
        let muxer = try Muxer(format, after: point == nil ? 0 : blocks)
        try self.init(readers, muxer, format, sink, timeline, .recorded)
        guard let point else { return }
        resumed = point
        let segment = point.places.first.flatMap { $0.period == nil ? $0.segment : nil }
        gaps = GapWatch(timeline: point.timeline, end: point.end &- point.shift, segment: segment)
    }

    private init(
        _ readers: [RenditionReader],
        _ muxer: Muxer,
        _ format: ContinuousFormat,
        _ sink: any RemuxSink,
        _ timeline: MediaTimeline,
        _ mode: Mode
    ) throws {
        self.readers = readers
        self.format = format
        self.sink = sink
        self.muxer = muxer
        places = readers.map { _ in .reading }
        self.timeline = timeline
        blockTime = timeline.end
        // Opening reads the manifest.
        for reader in readers { _ = try reader.source.peek() }
        self.mode = mode
        isLive = readers[0].source.isLive
        guard isLive, case .paced(let lead) = mode else { return }
        let target = readers[0].source.target
        pace = MediaPace(lead: lead, comfortable: target * 3 + .seconds(2))
    }

    func run() throws {
        try open()
        do {
            while try openTimeline() {
                while let lane = try nextLane() {
                    guard let entry = lane.take() else { continue }
                    try write(entry, lane)
                }
            }
        } catch let change as StreamChange {
            try endContainer()
            throw change
        }
        // Behind what was written before there may be nothing more.
        guard hasHeader || hasResumed else { throw RemuxFault("there is nothing in the stream that can be played") }
        try endContainer()
        try sink.write(.end, [], time: timeline.end)
    }

    private func endContainer() throws {
        guard hasHeader else { return }
        try endBlock()
        try sink.write(.block, muxer.end(), time: timeline.end)
    }

    // MARK: Tracks

    /// Opens the first containers: they say what tracks the output has.
    private func open() throws {
        for index in readers.indices {
            guard case .opened(let tracks, let number) = try readers[index].next() else {
                places[index] = .over
                continue
            }
            if index == 0 { current = number }
            places[index] = .atNext(tracks, number)
            for track in chosen(tracks, reader: index) {
                lanes.append(try Lane(track, reader: index, format: format))
            }
        }
        guard !lanes.isEmpty else { throw RemuxFault("the stream has neither picture nor sound") }
        delaysDescription = lanes.contains {
            $0.parameters.codec == AV_CODEC_ID_AC3 || $0.parameters.codec == AV_CODEC_ID_EAC3
        }
    }

    /// Of a container the tracks that the output takes from it.
    private func chosen(_ tracks: [Demuxer.Track], reader: Int) -> [Demuxer.Track] {
        let audio = tracks.filter { !$0.parameters.isVideo }
        let video = tracks.filter { $0.parameters.isVideo }
        if reader > 0 { return Array(audio.prefix(1)) }
        if readers.count > 1 { return video }
        return video + (format == .flv ? Array(audio.prefix(1)) : audio)
    }

    /// Goes over to the next timeline, as soon as all have come to it.
    /// - Returns: false at the end of all.
    private func openTimeline() throws -> Bool {
        let numbers = places.compactMap { if case .atNext(_, let number) = $0 { number } else { nil } }
        guard let number = numbers.min() else { return false }
        current = number
        for index in readers.indices {
            guard case .atNext(let tracks, number) = places[index] else { continue }
            for lane in lanes where lane.reader == index { lane.restart() }
            places[index] = .reading
            if hasBegun { try reopen(index, tracks) }
        }
        hasBegun = true
        let goesOn = takeUp(number)
        for lane in lanes { try fill(lane) }
        if !hasHeader { try skipBeginning() }
        let heads = lanes.compactMap { $0.head?.time }
        // Nothing in it at all.
        guard !heads.isEmpty else { return true }
        if !goesOn { timeline.begin(at: heads) }
        if !hasHeader { try begin() }
        return true
    }

    /// - Returns: whether this timeline is the one that an earlier process was in the midst of.
    private func takeUp(_ number: UInt64) -> Bool {
        guard let point = resumed else { return false }
        resumed = nil
        hasResumed = true
        guard point.timeline == number else {
            // Whatever it is, the file's times ascend.
            for (lane, track) in zip(lanes, point.tracks) { lane.resume(track.forgotten) }
            return false
        }
        for (lane, track) in zip(lanes, point.tracks) { lane.resume(track) }
        return true
    }

    private func reopen(_ reader: Int, _ tracks: [Demuxer.Track]) throws {
        let own = lanes.filter { $0.reader == reader }
        let found = chosen(tracks, reader: reader)
        for isVideo in [true, false] {
            let same = found.filter { $0.parameters.isVideo == isVideo }
            for (place, lane) in own.filter({ $0.isVideo == isVideo }).enumerated() {
                try lane.reopen(place < same.count ? same[place] : nil)
            }
        }
    }

    private func skipBeginning() throws {
        switch mode {
        case .sought:
            try skipToSought()
            try skipToStart()
        case .paced: if isLive { try skipToStart() }
        case .recorded: if isLive, !hasResumed { try skipToStart(keeping: Remuxer.earlySound) }
        }
    }

    /// To the last keyframe at or before the time that was asked for.
    private func skipToSought() throws {
        guard let video = lanes.first(where: { $0.isVideo }), let begin = video.head?.presentation else { return }
        let sought = begin + readers[video.reader].source.startWithin.nanoseconds / 1000
        while (video.latest ?? .max) <= sought, case .reading = places[video.reader] { try pull(video.reader) }
        video.skip { $0.packet.isKey && $0.presentation <= sought }
    }

    /// A player that joins a live stream begins with a picture, and with the sound that belongs to it.
    /// - Parameter early: sound that comes by less than this before the picture stays.
    private func skipToStart(keeping early: Int64 = 0) throws {
        guard let video = lanes.first(where: { $0.isVideo }) else { return }
        while let head = video.head, !head.packet.isKey {
            _ = video.take()
            try fill(video)
        }
        guard let start = video.head?.time else { return }
        for lane in lanes where !lane.isVideo {
            while let head = lane.head, head.time < start - early {
                _ = lane.take()
                try fill(lane)
            }
        }
    }

    // MARK: Packets

    /// The track whose packet is decoded next; nil at the end of the timeline.
    private func nextLane() throws -> Lane? {
        for lane in lanes { try fill(lane) }
        return lanes.filter { $0.head != nil }.min { ($0.head?.time ?? 0) < ($1.head?.time ?? 0) }
    }

    /// Reads until the track has a packet, or it is clear that it has none for now.
    private func fill(_ lane: Lane) throws {
        while lane.head == nil, lane.input != nil, case .reading = places[lane.reader] {
            let others = lanes.filter { $0.reader == lane.reader }.map(\.span).max() ?? 0
            guard others < silence else { return }
            try pull(lane.reader)
        }
    }

    /// How far a track may lie behind the others of its container before it counts as silent: segments of MP4 may hold
    /// one track behind the other.
    private var silence: Int64 { (readers[0].source.target.nanoseconds / 1000) * 5 / 4 + 1_000_000 }

    private func pull(_ reader: Int) throws {
        switch try readers[reader].next() {
        case .over: places[reader] = .over
        case .opened(let tracks, current): try reopen(reader, tracks)
        case .opened(let tracks, let number): places[reader] = .atNext(tracks, number)
        case .packet(let packet):
            guard !packet.isEncrypted else {
                throw RemuxFault("the stream is encrypted in a way that only its players have keys for (DRM)")
            }
            guard
                let lane = lanes.first(where: { $0.reader == reader && $0.input == packet.pointer.pointee.stream_index }
                )
            else { return }
            // Tracks of one timeline wrap together.
            if let other = lanes.first(where: { $0 !== lane && $0.head != nil })?.head { lane.anchor(other.time) }
            try lane.add(packet)
        }
    }

    // MARK: The container

    private func begin() throws {
        for lane in lanes {
            lane.output = try muxer.add(lane.parameters, timeBase: lane.timeBase, frameRate: lane.frameRate)
        }
        try muxer.begin(delaysDescription: delaysDescription)
        hasHeader = true
        guard !delaysDescription || format != .mp4 else { return }
        try sink.write(.header, muxer.take(), time: timeline.end)
    }

    private func write(_ entry: Lane.Entry, _ lane: Lane) throws {
        let time = entry.time &+ timeline.shift
        let isStart = lane.isVideo ? entry.packet.isKey : !lanes.contains { $0.isVideo }
        let isLong = time - blockTime >= Remuxer.cut || blockBytes >= Remuxer.cutBytes
        if lane.isVideo && isStart || isLong {
            try endBlock()
            blockTime = time
            blockIsStart = isStart
        }
        if var pace {
            let media = WeirCore.Duration(nanoseconds: (time &- 0).multipliedReportingOverflow(by: 1000).partialValue)
            let delay = pace.delay(of: media, waiting: readers[0].source.waiting, at: WorkerClock.now)
            self.pace = pace
            // What is ready goes out before the wait.
            WorkerClock.sleep(delay)
        }
        if lane === lanes.first { look(at: entry) }
        blockBytes += entry.packet.byteCount
        newest = lane
        let own = (current, timeline.shift)
        timeline.note(end: lane.stamp(entry, own, timeBase: muxer.timeBase(of: lane.output)))
        try put(entry.packet, of: lane)
    }

    /// A packet that the container does not take is left out: what follows may be good.
    private func put(_ packet: Packet, of lane: Lane) throws(AVFailure) {
        do throws(AVFailure) {
            try muxer.write(packet)
            lane.refused = 0
        } catch {
            guard error.isDamage, lane.refused < Remuxer.patience else { throw error }
            if lane.refused == 0 { readers[lane.reader].report("\(error)") }
            lane.refused += 1
        }
    }

    /// Notices what is missing in front of the main track's next packet.
    private func look(at entry: Lane.Entry) {
        let length = av_rescale_q(entry.packet.pointer.pointee.duration, entry.timeBase, Lane.microseconds)
        let place = entry.packet.place
        let missing = gaps.next(
            timeline: current,
            time: entry.time,
            end: entry.time &+ max(0, length),
            segment: place?.period == nil ? place?.segment : nil
        )
        guard let missing else { return }
        sink.note(.init(at: entry.time &+ timeline.shift &- (missing ?? 0), length: missing))
    }

    /// Where all tracks and renditions stand, all that was read before being written.
    private func point() -> CaptureJournal.Point? {
        var found: [CaptureJournal.Place] = []
        // Matroska's writer keeps sound back until the next packet.
        let held = format == .mkv && newest?.isVideo == false ? newest : nil
        let standings = lanes.map { $0.standing(in: current, isHeld: $0 === held) }
        for index in readers.indices {
            let own = zip(lanes, standings).filter { $0.0.reader == index }.compactMap { $0.1.place }
            guard let first = own.min(by: { $0.segment < $1.segment }) else { return nil }
            found.append(first)
        }
        return CaptureJournal.Point(
            timeline: current,
            shift: timeline.shift,
            end: timeline.end,
            places: found,
            tracks: standings.map(\.track)
        )
    }

    private func endBlock() throws {
        guard blockBytes > 0 else { return }
        blockBytes = 0
        try muxer.flush()
        if delaysDescription, format == .mp4 {
            // The first flush writes the description alone.
            delaysDescription = false
            try sink.write(.header, muxer.take(), time: blockTime)
            try muxer.flush()
        }
        try sink.write(blockIsStart ? .start : .block, muxer.take(), time: blockTime)
        try sink.mark(point)
    }
}
