import CLibAV

/// Where a demuxer's bytes come from. Blocks until there are some.
protocol ByteSource: AnyObject {
    /// - Returns: how many bytes were written; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int
}

/// Reads one container, from its beginning to its end, by libavformat.
final class Demuxer {
    /// Bytes and media that libavformat may read to find out what there is. What it has read is not lost.
    private static let probeBytes: Int64 = 4 * 1024 * 1024
    private static let probeMicroseconds: Int64 = 2_000_000
    private static let bufferBytes: Int32 = 64 * 1024
    private static let mostStreams: UInt32 = 64

    private var context: UnsafeMutablePointer<AVFormatContext>?
    private let io: UnsafeMutablePointer<AVIOContext>
    private let source: Unmanaged<SourceBox>

    private final class SourceBox {
        let source: any ByteSource
        init(_ source: any ByteSource) { self.source = source }
    }

    /// Opens what the source gives and finds out what it holds.
    init(_ source: any ByteSource) throws(AVFailure) {
        let box = Unmanaged.passRetained(SourceBox(source))
        let made = weir_reading(Demuxer.bufferBytes, box.toOpaque()) { owner, bytes, count in
            guard let owner, let bytes, count > 0 else { return weir_error_input() }
            let buffer = UnsafeMutableRawBufferPointer(start: bytes, count: Int(count))
            let read = Unmanaged<SourceBox>.fromOpaque(owner).takeUnretainedValue().source.read(into: buffer)
            return read > 0 ? Int32(clamping: read) : weir_error_end()
        }
        guard let made, let context = avformat_alloc_context() else {
            weir_close_io(made)
            box.release()
            throw AVFailure(action: "a demuxer", code: weir_error_input())
        }
        self.source = box
        io = made
        context.pointee.pb = made
        context.pointee.probesize = Demuxer.probeBytes
        context.pointee.max_analyze_duration = Demuxer.probeMicroseconds
        context.pointee.max_streams = Int32(Demuxer.mostStreams)
        // Counters that wrap around are followed over segments and tracks alike, elsewhere.
        context.pointee.correct_ts_overflow = 0
        var opened: UnsafeMutablePointer<AVFormatContext>? = context
        // It frees the context itself when it fails.
        try AVFailure.check(avformat_open_input(&opened, nil, nil, nil), "opening a segment")
        self.context = opened
        try AVFailure.check(avformat_find_stream_info(opened, nil), "reading a segment's beginning")
    }

    deinit {
        avformat_close_input(&context)
        weir_close_io(io)
        source.release()
    }

    /// A track as the container numbers it.
    struct Track {
        let index: Int32
        let parameters: TrackParameters
        let timeBase: AVRational
        /// Bits of the container's counter of time.
        let counterBits: Int
        let frameRate: AVRational
        /// As the container has it; nil when it says nothing.
        let language: String?
    }

    /// The best picture and all sounds.
    func tracks() throws(AVFailure) -> [Track] {
        guard let context else { return [] }
        let video = av_find_best_stream(context, AVMEDIA_TYPE_VIDEO, -1, -1, nil, 0)
        var tracks: [Track] = []
        for index in 0..<min(context.pointee.nb_streams, Demuxer.mostStreams) {
            guard let stream = weir_stream(context, index), let parameters = stream.pointee.codecpar else { continue }
            let isAudio = parameters.pointee.codec_type == AVMEDIA_TYPE_AUDIO
            let isCover = stream.pointee.disposition & AV_DISPOSITION_ATTACHED_PIC != 0
            guard isAudio || (Int32(index) == video && !isCover) else { continue }
            guard parameters.pointee.codec_id != AV_CODEC_ID_NONE else { continue }
            tracks.append(
                Track(
                    index: Int32(index),
                    parameters: try TrackParameters(copying: parameters),
                    timeBase: stream.pointee.time_base,
                    counterBits: Int(stream.pointee.pts_wrap_bits),
                    frameRate: stream.pointee.avg_frame_rate,
                    language: Demuxer.language(stream)
                )
            )
        }
        return tracks
    }

    private static func language(_ stream: UnsafePointer<AVStream>) -> String? {
        guard let entry = av_dict_get(stream.pointee.metadata, "language", nil, 0), let value = entry.pointee.value,
            strnlen(value, 16) < 16
        else { return nil }
        return String(cString: value)
    }

    /// The next packet of any track; nil at the end.
    func read() throws(AVFailure) -> Packet? {
        let packet = try Packet()
        while true {
            let code = av_read_frame(context, packet.pointer)
            if code == weir_error_again() { continue }
            if code == weir_error_end() { return nil }
            try AVFailure.check(code, "reading a segment")
            return packet
        }
    }
}
