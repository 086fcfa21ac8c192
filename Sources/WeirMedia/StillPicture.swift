import CLibAV
import WeirCore

/// One decoded picture, made smaller, or several of them in rows.
///
/// Only the formats that boxes play are understood (planar, 4:2:0, 8 or 10 bits): a picture that is made smaller by averages
/// needs no more of libav than its decoders and its JPEG writer.
final class StillPicture {
    /// Pixels of a picture that is decoded at all: 8K.
    private static let mostPixels = 7680 * 4320

    /// Planar, 4:2:0, 8 bits of the full range, even in width and height.
    private let frame: UnsafeMutablePointer<AVFrame>

    /// Decodes a keyframe.
    /// - Parameter width: pixels at most.
    init(_ packet: Packet, _ parameters: TrackParameters, width: Int) throws {
        let decoded = try StillPicture.decoded(packet, parameters)
        defer { StillPicture.release(decoded) }
        frame = try StillPicture.smaller(decoded, width: width)
    }

    /// Puts pictures beside and below each other, in cells of the first one's size; where there is none it is black.
    /// Nil when there is none at all.
    init?(_ cells: [StillPicture?], columns: Int) throws {
        guard let first = cells.lazy.compactMap({ $0 }).first else { return nil }
        let (width, height) = (Int(first.frame.pointee.width), Int(first.frame.pointee.height))
        let rows = (cells.count + columns - 1) / columns
        frame = try StillPicture.empty(width: width * columns, height: height * rows)
        for plane in 0..<3 {
            let divisor = plane > 0 ? 2 : 1
            guard let target = weir_plane(frame, Int32(plane)) else { continue }
            let stride = Int(weir_stride(frame, Int32(plane)))
            let lines = height * rows / divisor
            for line in 0..<lines { memset(target + line * stride, plane > 0 ? 128 : 0, width * columns / divisor) }
            for (place, cell) in cells.enumerated() {
                guard let cell, let source = weir_plane(cell.frame, Int32(plane)) else { continue }
                let from = Int(weir_stride(cell.frame, Int32(plane)))
                let (row, column) = place.quotientAndRemainder(dividingBy: columns)
                let corner = target + row * height / divisor * stride + column * width / divisor
                let count = min(width, Int(cell.frame.pointee.width)) / divisor
                for line in 0..<min(height, Int(cell.frame.pointee.height)) / divisor {
                    memcpy(corner + line * stride, source + line * from, count)
                }
            }
        }
    }

    deinit { StillPicture.release(frame) }

    private static func empty(width: Int, height: Int) throws -> UnsafeMutablePointer<AVFrame> {
        guard let frame = av_frame_alloc() else { throw RemuxFault("no memory for a picture") }
        frame.pointee.format = AV_PIX_FMT_YUVJ420P.rawValue
        frame.pointee.width = Int32(clamping: width)
        frame.pointee.height = Int32(clamping: height)
        let code = av_frame_get_buffer(frame, 0)
        guard code >= 0 else {
            release(frame)
            throw AVFailure(action: "a picture", code: code)
        }
        return frame
    }

    private static func release(_ frame: UnsafeMutablePointer<AVFrame>) {
        var frame: UnsafeMutablePointer<AVFrame>? = frame
        av_frame_free(&frame)
    }

    private static func decoded(_ packet: Packet, _ parameters: TrackParameters) throws -> UnsafeMutablePointer<AVFrame>
    {
        guard let codec = avcodec_find_decoder(parameters.codec), let context = avcodec_alloc_context3(codec) else {
            throw RemuxFault("this libavcodec does not decode \(parameters.codecName)")
        }
        var owned: UnsafeMutablePointer<AVCodecContext>? = context
        defer { avcodec_free_context(&owned) }
        try AVFailure.check(avcodec_parameters_to_context(context, parameters.pointer), "a decoder")
        context.pointee.thread_count = 1
        context.pointee.max_pixels = Int64(mostPixels)
        try AVFailure.check(avcodec_open2(context, codec, nil), "a decoder")
        try AVFailure.check(avcodec_send_packet(context, packet.pointer), "decoding a keyframe")
        // It has no successor: what the decoder keeps back comes at its end.
        try AVFailure.check(avcodec_send_packet(context, nil), "decoding a keyframe")
        guard let frame = av_frame_alloc() else { throw RemuxFault("no memory for a picture") }
        let code = avcodec_receive_frame(context, frame)
        guard code >= 0 else {
            release(frame)
            throw AVFailure(action: "decoding a keyframe", code: code)
        }
        return frame
    }

    // MARK: Size

    private static func smaller(_ frame: UnsafeMutablePointer<AVFrame>, width: Int) throws
        -> UnsafeMutablePointer<AVFrame>
    {
        let format = AVPixelFormat(rawValue: frame.pointee.format)
        let isDeep = format == AV_PIX_FMT_YUV420P10LE
        guard isDeep || format == AV_PIX_FMT_YUV420P || format == AV_PIX_FMT_YUVJ420P else {
            throw RemuxFault("pictures of this format are not made smaller")
        }
        let from = (width: Int(frame.pointee.width), height: Int(frame.pointee.height))
        guard from.width > 1, from.height > 1 else { throw RemuxFault("the picture is empty") }
        let shape = sampleShape(frame)
        let to = StillSize(width: from.width, height: from.height, shape: shape).fitting(width)
        let picture = try empty(width: to.width, height: to.height)
        let isFull = format == AV_PIX_FMT_YUVJ420P || frame.pointee.color_range == AVCOL_RANGE_JPEG
        for plane in 0..<3 {
            let half = plane > 0
            guard let source = weir_plane(frame, Int32(plane)), let target = weir_plane(picture, Int32(plane)) else {
                release(picture)
                throw RemuxFault("the picture has no pixels")
            }
            PlaneScaler(
                source: source,
                stride: Int(weir_stride(frame, Int32(plane))),
                width: half ? (from.width + 1) / 2 : from.width,
                height: half ? (from.height + 1) / 2 : from.height,
                isDeep: isDeep,
                isFull: isFull,
                isColour: half
            ).scale(
                to: target,
                stride: Int(weir_stride(picture, Int32(plane))),
                width: half ? (to.width + 1) / 2 : to.width,
                height: half ? (to.height + 1) / 2 : to.height
            )
        }
        return picture
    }

    /// How wide a pixel is beside its height.
    private static func sampleShape(_ frame: UnsafeMutablePointer<AVFrame>) -> Double {
        let ratio = frame.pointee.sample_aspect_ratio
        guard ratio.num > 0, ratio.den > 0 else { return 1 }
        return min(4, max(0.25, Double(ratio.num) / Double(ratio.den)))
    }

    // MARK: JPEG

    /// - Returns: the file.
    func jpeg() throws -> [UInt8] {
        guard let codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG), let context = avcodec_alloc_context3(codec) else {
            throw RemuxFault("this libavcodec writes no JPEG")
        }
        var owned: UnsafeMutablePointer<AVCodecContext>? = context
        defer { avcodec_free_context(&owned) }
        context.pointee.width = frame.pointee.width
        context.pointee.height = frame.pointee.height
        context.pointee.pix_fmt = AV_PIX_FMT_YUVJ420P
        context.pointee.color_range = AVCOL_RANGE_JPEG
        context.pointee.time_base = AVRational(num: 1, den: 25)
        context.pointee.thread_count = 1
        weir_set_quality(context, 5)
        frame.pointee.quality = context.pointee.global_quality
        frame.pointee.pts = 0
        try AVFailure.check(avcodec_open2(context, codec, nil), "a JPEG")
        try AVFailure.check(avcodec_send_frame(context, frame), "a JPEG")
        try AVFailure.check(avcodec_send_frame(context, nil), "a JPEG")
        let packet = try Packet()
        try AVFailure.check(avcodec_receive_packet(context, packet.pointer), "a JPEG")
        guard let data = packet.pointer.pointee.data else { return [] }
        return Array(UnsafeBufferPointer(start: data, count: packet.byteCount))
    }
}

/// One plane of a picture, made smaller by averages of what falls into each pixel.
struct PlaneScaler {
    let source: UnsafePointer<UInt8>
    /// Bytes from line to line.
    let stride: Int
    let width: Int
    let height: Int
    /// Two bytes a pixel, ten bits of them.
    let isDeep: Bool
    /// From 0 to 255 already.
    let isFull: Bool
    let isColour: Bool

    func scale(
        to target: UnsafeMutablePointer<UInt8>,
        stride targetStride: Int,
        width newWidth: Int,
        height newHeight: Int
    ) {
        for row in 0..<newHeight {
            let rows = range(row, of: newHeight, in: height)
            for column in 0..<newWidth {
                let columns = range(column, of: newWidth, in: width)
                var sum = 0
                for line in rows { for place in columns { sum += value(line, place) } }
                target[row * targetStride + column] = level(sum / (rows.count * columns.count))
            }
        }
    }

    private func range(_ place: Int, of count: Int, in all: Int) -> Range<Int> {
        let first = min(all - 1, place * all / count)
        return first..<max(first + 1, (place + 1) * all / count)
    }

    private func value(_ line: Int, _ place: Int) -> Int {
        guard isDeep else { return Int(source[line * stride + place]) }
        let offset = line * stride + 2 * place
        return (Int(source[offset]) | Int(source[offset + 1]) << 8) >> 2
    }

    private func level(_ value: Int) -> UInt8 {
        guard !isFull else { return UInt8(clamping: value) }
        return isColour
            ? UInt8(clamping: (value - 128) * 255 / 224 + 128) : UInt8(clamping: (value - 16) * 255 / 219)
    }
}
