import CLibAV
import WeirCore

/// Writes one container without an end, by libavformat, and hands out its bytes in pieces.
final class Muxer {
    private static let bufferBytes: Int32 = 64 * 1024
    /// How far decoding runs ahead of the clock that MPEG-TS carries: as ffmpeg's own default.
    private static let maximumDelay: Int32 = 700_000

    /// Fragments where we cut, each of which tells its own time, also the first of a writer that goes on.
    private static let fragments = "frag_custom+empty_moov+default_base_moof+frag_discont"

    private let context: UnsafeMutablePointer<AVFormatContext>
    private let io: UnsafeMutablePointer<AVIOContext>
    private let output: Unmanaged<Output>
    private let format: ContinuousFormat
    private var isBegun = false

    /// What was written and not yet taken.
    private final class Output {
        var bytes: [UInt8] = []
    }

    /// Pieces that are in the file already.
    private let blocks: Int64

    /// - Parameter blocks: that an earlier process wrote.
    init(_ format: ContinuousFormat, after blocks: Int64 = 0) throws(AVFailure) {
        self.format = format
        self.blocks = blocks
        let output = Unmanaged.passRetained(Output())
        let made = weir_writing(Muxer.bufferBytes, output.toOpaque()) { owner, bytes, count in
            guard let owner, let bytes, count >= 0 else { return weir_error_input() }
            let written = UnsafeBufferPointer(start: bytes, count: Int(count))
            Unmanaged<Output>.fromOpaque(owner).takeUnretainedValue().bytes.append(contentsOf: written)
            return count
        }
        var context: UnsafeMutablePointer<AVFormatContext>?
        let code = avformat_alloc_output_context2(&context, nil, format.muxer, nil)
        guard code >= 0, let context, let made else {
            weir_close_io(made)
            output.release()
            throw AVFailure(action: "libavformat cannot write \(format.muxer)", code: code)
        }
        self.context = context
        io = made
        self.output = output
        context.pointee.pb = made
        context.pointee.max_delay = Muxer.maximumDelay
        // Times are ours: the first one of a writer that goes on is not to become zero.
        if format == .mp4 { context.pointee.avoid_negative_ts = 0 }
        // No random ids and no dates: a worker that takes over writes the same beginning.
        weir_set_bitexact(context)
    }

    deinit {
        avformat_free_context(context)
        weir_close_io(io)
        output.release()
    }

    /// - Returns: the track's number.
    func add(_ parameters: TrackParameters, timeBase: AVRational, frameRate: AVRational) throws(AVFailure) -> Int32 {
        guard let stream = avformat_new_stream(context, nil) else {
            throw AVFailure(action: "a track", code: weir_error_input())
        }
        try AVFailure.check(avcodec_parameters_copy(stream.pointee.codecpar, parameters.pointer), "a track")
        // Each container has tags of its own.
        stream.pointee.codecpar.pointee.codec_tag = 0
        // An estimate of the first packets: with it, who goes on would write another beginning.
        stream.pointee.codecpar.pointee.bit_rate = 0
        stream.pointee.time_base = timeBase
        stream.pointee.avg_frame_rate = frameRate
        return stream.pointee.index
    }

    /// Writes the container's beginning.
    func begin(delaysDescription: Bool) throws(AVFailure) {
        var options: OpaquePointer?
        for (name, value) in settings(delaysDescription) { av_dict_set(&options, name, value, 0) }
        let code = avformat_write_header(context, &options)
        av_dict_free(&options)
        try AVFailure.check(code, "this stream does not fit into \(format.rawValue)")
        isBegun = true
    }

    private func settings(_ delaysDescription: Bool) -> [(String, String)] {
        switch format {
        // A writer's counters begin anew where it goes on in a file, and players are told so.
        case .ts: [("mpegts_flags", "resend_headers" + (blocks > 0 ? "+initial_discontinuity" : ""))]
        case .flv: [("flvflags", "no_duration_filesize+no_sequence_end")]
        case .mp4:
            [
                ("movflags", Muxer.fragments + (delaysDescription ? "+delay_moov" : "")), ("use_editlist", "0"),
                ("fragment_index", "\(blocks + 1)"),
            ]
        case .mkv: [("live", "1"), ("cluster_time_limit", "5000")]
        }
    }

    /// The time base that the container gave a track.
    func timeBase(of track: Int32) -> AVRational {
        weir_stream(context, UInt32(max(0, track)))?.pointee.time_base ?? AVRational(num: 1, den: 90_000)
    }

    func write(_ packet: Packet) throws(AVFailure) {
        try AVFailure.check(av_write_frame(context, packet.pointer), "writing \(format.rawValue)")
    }

    /// Ends what is being collected, so that a reader can begin or stop here.
    func flush() throws(AVFailure) {
        if format != .flv { try AVFailure.check(av_write_frame(context, nil), "writing \(format.rawValue)") }
    }

    /// What the container still holds back at the stream's end.
    func end() -> [UInt8] {
        // The others' ends would only describe a file.
        if format == .mkv { av_write_trailer(context) }
        return take()
    }

    /// The bytes since the last call.
    func take() -> [UInt8] {
        avio_flush(io)
        let owner = output.takeUnretainedValue()
        defer { owner.bytes = [] }
        return owner.bytes
    }
}
