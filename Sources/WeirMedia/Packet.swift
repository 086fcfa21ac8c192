import CLibAV
import WeirCore

/// A call of libav that failed, in its own words.
package struct AVFailure: Error, CustomStringConvertible {
    package let action: String
    package let code: Int32

    package var description: String { "\(action): \(AVFailure.text(of: code))" }

    /// It is what was given to libav that is no good.
    var isDamage: Bool { code == weir_error_damage() || code == weir_error_argument() }

    static func text(of code: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        av_strerror(code, &text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Gives a result that is no error code back.
    @discardableResult
    static func check(_ code: Int32, _ action: String) throws(AVFailure) -> Int32 {
        guard code >= 0 else { throw AVFailure(action: action, code: code) }
        return code
    }
}

/// One packet of one track; its own reference to libav's bytes.
final class Packet {
    let pointer: UnsafeMutablePointer<AVPacket>
    /// The segment that it came in, where somebody keeps account of that.
    var place: CaptureJournal.Place?

    init() throws(AVFailure) {
        guard let pointer = av_packet_alloc() else { throw AVFailure(action: "a packet", code: weir_error_input()) }
        self.pointer = pointer
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVPacket>? = self.pointer
        av_packet_free(&pointer)
    }

    var isKey: Bool { weir_is_key(pointer) != 0 }
    var isEncrypted: Bool { weir_is_encrypted(pointer) != 0 }
    var byteCount: Int { Int(pointer.pointee.size) }

    /// Where its bytes began in what was read; nil when the container does not say.
    var offset: Int64? { pointer.pointee.pos >= 0 ? pointer.pointee.pos : nil }

    /// In the track's time base; nil when the container has none.
    var decodeTime: Int64? { Packet.time(pointer.pointee.dts) }
    var presentationTime: Int64? { Packet.time(pointer.pointee.pts) }

    private static func time(_ value: Int64) -> Int64? { value == weir_no_timestamp() ? nil : value }

    /// Out-of-band parameters that come with it.
    var newExtradata: [UInt8] {
        var size = 0
        guard let bytes = weir_new_extradata(pointer, &size) else { return [] }
        return Array(UnsafeBufferPointer(start: bytes, count: size))
    }

    func attach(extradata: [UInt8]) { _ = weir_attach_extradata(pointer, extradata, extradata.count) }

    /// Puts bytes in front of its own.
    func prepend(_ bytes: [UInt8]) throws(AVFailure) {
        let count = Int(pointer.pointee.size)
        try AVFailure.check(av_grow_packet(pointer, Int32(clamping: bytes.count)), "a larger packet")
        guard let data = pointer.pointee.data else { return }
        memmove(data + bytes.count, data, count)
        for (index, byte) in bytes.enumerated() { data[index] = byte }
    }
}

/// What a track is: codec, size, rate, parameters.
final class TrackParameters {
    let pointer: UnsafeMutablePointer<AVCodecParameters>

    init(copying source: UnsafePointer<AVCodecParameters>) throws(AVFailure) {
        guard let pointer = avcodec_parameters_alloc() else {
            throw AVFailure(action: "a track's parameters", code: weir_error_input())
        }
        self.pointer = pointer
        try AVFailure.check(avcodec_parameters_copy(pointer, source), "a track's parameters")
    }

    deinit {
        var pointer: UnsafeMutablePointer<AVCodecParameters>? = self.pointer
        avcodec_parameters_free(&pointer)
    }

    var isVideo: Bool { pointer.pointee.codec_type == AVMEDIA_TYPE_VIDEO }
    var codec: AVCodecID { pointer.pointee.codec_id }
    var codecName: String { String(cString: avcodec_get_name(codec)) }

    var extradata: [UInt8] {
        guard let bytes = pointer.pointee.extradata else { return [] }
        return Array(UnsafeBufferPointer(start: bytes, count: Int(max(0, pointer.pointee.extradata_size))))
    }

    func set(extradata: [UInt8]) throws(AVFailure) {
        try AVFailure.check(weir_set_extradata(pointer, extradata, extradata.count), "a track's parameters")
    }

    /// What a container that says it only once cannot change: rate and channels of sound.
    func soundsLike(_ other: TrackParameters) -> Bool {
        pointer.pointee.sample_rate == other.pointer.pointee.sample_rate
            && weir_channels(pointer) == weir_channels(other.pointer)
    }
}
