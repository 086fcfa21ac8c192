import CLibAV

/// Changes how a track's packets are written, never what they decode to.
final class BitstreamFilter {
    private var context: UnsafeMutablePointer<AVBSFContext>?
    /// What the packets are afterwards.
    let parameters: TrackParameters

    /// - Parameter name: of libavcodec's filter, for example `h264_mp4toannexb`.
    init(_ name: String, for track: TrackParameters, timeBase: AVRational) throws(AVFailure) {
        guard let filter = av_bsf_get_by_name(name) else {
            throw AVFailure(action: "libavcodec has no \(name)", code: weir_error_input())
        }
        var made: UnsafeMutablePointer<AVBSFContext>?
        try AVFailure.check(av_bsf_alloc(filter, &made), name)
        guard let made else { throw AVFailure(action: name, code: weir_error_input()) }
        var owned: UnsafeMutablePointer<AVBSFContext>? = made
        do {
            try AVFailure.check(avcodec_parameters_copy(made.pointee.par_in, track.pointer), name)
            made.pointee.time_base_in = timeBase
            try AVFailure.check(av_bsf_init(made), name)
            parameters = try TrackParameters(copying: made.pointee.par_out)
        } catch {
            av_bsf_free(&owned)
            throw error
        }
        context = made
    }

    deinit { av_bsf_free(&context) }

    /// Gives what a packet becomes: one packet with the filters that are used here, none when it was damaged.
    func filter(_ packet: Packet) -> [Packet] {
        guard let context, av_bsf_send_packet(context, packet.pointer) >= 0 else { return [] }
        var packets: [Packet] = []
        while let next = try? Packet(), av_bsf_receive_packet(context, next.pointer) >= 0 { packets.append(next) }
        return packets
    }
}
