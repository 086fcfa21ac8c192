import CLibAV
import WeirCore

extension CaptureJournal.Track {
    /// The same track where another timeline follows: nothing of that is in the file.
    var forgotten: CaptureJournal.Track { .init(last: Lane.nothing, tick: tick, written: written) }
}

/// One track of the output: what feeds it, how its packets are rewritten, and what waits to be written.
final class Lane {
    /// A packet in its place on the current timeline.
    struct Entry {
        let packet: Packet
        let timeBase: AVRational
        /// Microseconds of the timeline's own time at which it is decoded.
        let time: Int64
        /// At which it is shown.
        var presentation: Int64 { av_rescale_q(packet.pointer.pointee.pts, timeBase, Lane.microseconds) }
    }

    static let microseconds = AVRational(num: 1, den: 1_000_000)
    /// No time: nothing of the track is in the current timeline.
    static let nothing = Int64.min
    /// Bytes that one track may have waiting.
    private static let mostBytes = 48 * 1024 * 1024

    let isVideo: Bool
    let reader: Int
    private let format: ContinuousFormat
    /// What the container was told of the track.
    private(set) var parameters: TrackParameters
    let frameRate: AVRational
    private(set) var timeBase: AVRational
    /// The output's track.
    var output: Int32 = 0
    /// Packets in a row that the output did not take.
    var refused = 0
    /// In the container that is read now; nil: it lacks the track.
    private(set) var input: Int32?
    private(set) var queue: [Entry] = []
    private var taken = 0
    private var queuedBytes = 0
    private var filter: BitstreamFilter?
    private var unwrapping: Unwrapping
    private var counterBits: Int
    private var lastTime: Int64?
    /// For the next keyframe: parameters that changed.
    private var prefix: [UInt8] = []
    private var newExtradata: [UInt8] = []
    private var lastWritten: Int64?
    private var sieve = PacketSieve()
    /// How far the track is in the output, the segment that brought it there, and the timeline.
    private(set) var position: (track: CaptureJournal.Track, place: CaptureJournal.Place?, timeline: UInt64)?
    /// The same one packet earlier.
    private var previous: (track: CaptureJournal.Track, place: CaptureJournal.Place?, timeline: UInt64)?

    init(_ track: Demuxer.Track, reader: Int, format: ContinuousFormat) throws {
        isVideo = track.parameters.isVideo
        self.reader = reader
        self.format = format
        parameters = track.parameters
        frameRate = track.frameRate
        timeBase = track.timeBase
        input = track.index
        counterBits = track.counterBits
        unwrapping = Unwrapping(bits: track.counterBits)
        try makeFilter(track)
        if let filter { parameters = filter.parameters }
    }

    var head: Entry? { taken < queue.count ? queue[taken] : nil }
    /// Media that wait.
    var span: Int64 { head.map { (queue.last?.time ?? $0.time) - $0.time } ?? 0 }

    private func describe(by packet: Packet) throws(AVFailure) {
        let extradata = packet.newExtradata
        guard parameters.extradata.isEmpty, !extradata.isEmpty else { return }
        try parameters.set(extradata: extradata)
    }

    // MARK: What comes in

    /// Another container follows, in which the track may be written differently.
    func reopen(_ track: Demuxer.Track?) throws {
        input = track?.index
        filter = nil
        guard let track else { return }
        guard track.parameters.codec == parameters.codec else {
            throw StreamChange("the codec changes from \(parameters.codecName) to \(track.parameters.codecName)")
        }
        if track.counterBits != counterBits || av_cmp_q(track.timeBase, timeBase) != 0 {
            counterBits = track.counterBits
            timeBase = track.timeBase
            unwrapping = Unwrapping(bits: counterBits)
        }
        try makeFilter(track)
        try follow(track)
    }

    /// Another timeline begins: nothing is known of its counters.
    func restart() {
        unwrapping = Unwrapping(bits: counterBits)
        lastTime = nil
    }

    /// Another track of the same timeline begins there.
    func anchor(_ time: Int64) { unwrapping.anchor(av_rescale_q(time, Lane.microseconds, timeBase)) }

    /// Goes on behind what an earlier process wrote of the current timeline.
    func resume(_ track: CaptureJournal.Track) {
        lastWritten = track.written
        guard track.last != Lane.nothing else { return }
        let tick = AVRational(num: track.tick.numerator, den: track.tick.denominator)
        let last = av_rescale_q(track.last, tick, timeBase)
        unwrapping.anchor(last)
        sieve = PacketSieve(after: last)
    }

    func add(_ read: Packet) throws {
        for packet in filter?.filter(read) ?? [read] {
            packet.place = read.place
            if !prefix.isEmpty, packet.isKey {
                try packet.prepend(prefix)
                prefix = []
            }
            if !newExtradata.isEmpty {
                packet.attach(extradata: newExtradata)
                newExtradata = []
            }
            try place(packet)
        }
        guard queuedBytes <= Lane.mostBytes else {
            throw RemuxFault("the tracks lie too far apart to be written together")
        }
    }

    /// Where the track stands in this timeline: what is in the output, or else what waits for it.
    /// - Parameter isHeld: the container holds the newest packet back.
    func standing(in timeline: UInt64, isHeld: Bool) -> (track: CaptureJournal.Track, place: CaptureJournal.Place?) {
        let newest = isHeld ? previous : position
        if let newest, newest.timeline == timeline { return (newest.track, newest.place) }
        let tick = CaptureJournal.Fraction(timeBase.num, timeBase.den)
        let written = isHeld ? previous?.track.written : lastWritten
        let track = CaptureJournal.Track(last: Lane.nothing, tick: tick, written: written ?? -1)
        return (track, isHeld ? position?.place : head?.packet.place)
    }

    private func place(_ packet: Packet) throws {
        let pointer = packet.pointer
        let rate = frameRate.num > 0 && frameRate.den > 0 ? frameRate : AVRational(num: 25, den: 1)
        if pointer.pointee.duration <= 0, isVideo {
            pointer.pointee.duration = av_rescale_q(1, AVRational(num: rate.den, den: rate.num), timeBase)
        }
        let raw =
            packet.decodeTime ?? lastTime.map { $0 + max(1, pointer.pointee.duration) } ?? packet.presentationTime ?? 0
        let decode = unwrapping.unwrap(raw)
        lastTime = decode
        // The first packet tells its parameters, whether it is written or not.
        try describe(by: packet)
        guard sieve.passes(decode) else { return }
        let presentation = packet.presentationTime.map { $0 &+ (decode &- raw) } ?? decode
        pointer.pointee.dts = decode
        pointer.pointee.pts = max(decode, presentation)
        queuedBytes += packet.byteCount
        let time = av_rescale_q(decode, timeBase, Lane.microseconds)
        queue.append(Entry(packet: packet, timeBase: timeBase, time: time))
    }

    // MARK: What goes out

    /// When the packet that was read last is decoded.
    var latest: Int64? { queue.last?.time }

    /// Leaves out what lies before the last packet that fits; nothing where none does.
    func skip(toLast fits: (Entry) -> Bool) {
        guard let last = queue[taken...].lastIndex(where: fits) else { return }
        while taken < last {
            queuedBytes -= queue[taken].packet.byteCount
            taken += 1
        }
        queue.removeFirst(taken)
        taken = 0
    }

    func take() -> Entry? {
        guard let entry = head else { return nil }
        taken += 1
        queuedBytes -= entry.packet.byteCount
        if taken > 64 {
            queue.removeFirst(taken)
            taken = 0
        }
        return entry
    }

    /// Puts a packet into the output's time.
    /// - Parameter timeline: that it belongs to, and what is added to its times, in microseconds.
    /// - Returns: where it ends, in microseconds of the output.
    func stamp(_ entry: Entry, _ timeline: (number: UInt64, shift: Int64), timeBase output: AVRational) -> Int64 {
        let pointer = entry.packet.pointer
        let (read, shift) = (pointer.pointee.dts, timeline.shift)
        let moved = av_rescale_q(shift, Lane.microseconds, output)
        var decode = av_rescale_q(pointer.pointee.dts, entry.timeBase, output) &+ moved
        var presentation = av_rescale_q(pointer.pointee.pts, entry.timeBase, output) &+ moved
        // No container takes times that do not ascend, and FLV none below zero.
        decode = max(0, decode)
        if let lastWritten, decode <= lastWritten { decode = lastWritten + 1 }
        presentation = max(presentation, decode)
        lastWritten = decode
        let tick = CaptureJournal.Fraction(entry.timeBase.num, entry.timeBase.den)
        let track = CaptureJournal.Track(last: read, tick: tick, written: decode)
        previous = position
        position = (track, entry.packet.place, timeline.number)
        pointer.pointee.dts = decode
        pointer.pointee.pts = presentation
        pointer.pointee.duration = av_rescale_q(max(0, pointer.pointee.duration), entry.timeBase, output)
        pointer.pointee.pos = -1
        pointer.pointee.stream_index = self.output
        return av_rescale_q(presentation &+ pointer.pointee.duration, output, Lane.microseconds)
    }

    // MARK: How packets are written

    private var isNAL: Bool { parameters.codec == AV_CODEC_ID_H264 || parameters.codec == AV_CODEC_ID_HEVC }

    private func makeFilter(_ track: Demuxer.Track) throws {
        let isRecord = track.parameters.extradata.first == 1
        let name: String? =
            switch track.parameters.codec {
            case AV_CODEC_ID_H264 where isRecord && wantsStartCodes: "h264_mp4toannexb"
            case AV_CODEC_ID_HEVC where isRecord && wantsStartCodes: "hevc_mp4toannexb"
            case AV_CODEC_ID_AAC where format != .ts && track.parameters.extradata.isEmpty: "aac_adtstoasc"
            default: nil
            }
        guard let name else { return }
        filter = try BitstreamFilter(name, for: track.parameters, timeBase: track.timeBase)
    }

    /// The output has been told of start codes, or always wants them.
    private var wantsStartCodes: Bool { format == .ts || (parameters.extradata.first ?? 1) != 1 }

    /// Takes over what the new container says differently, as far as the output can be told.
    private func follow(_ track: Demuxer.Track) throws {
        let extradata = track.parameters.extradata
        if isNAL, format != .ts, !wantsStartCodes, extradata.first != 1 {
            throw StreamChange("pictures are packed differently from here on")
        }
        if !isVideo, format == .mp4 || format == .mkv, !track.parameters.soundsLike(parameters) {
            throw StreamChange("the sound changes its rate or channels, which .\(format.rawValue) cannot tell")
        }
        guard format != .ts, extradata != parameters.extradata, !extradata.isEmpty else { return }
        if format == .flv {
            newExtradata = extradata
        } else if isNAL, extradata.first == 1 {
            let isHEVC = parameters.codec == AV_CODEC_ID_HEVC
            prefix = (isHEVC ? ParameterSets(hevc: extradata) : ParameterSets(avc: extradata))?.inBand ?? []
        }
    }
}
