package import NIOCore

/// A recording as fragmented MP4 (ISO/IEC 14496-12 section 8.8), cut at its fragments and repeated without end.
///
/// Every repetition gets later decode times and sequence numbers, so that the whole is one continuous programme and no
/// two parts have the same bytes. Sound and pictures must fill every fragment exactly.
package struct MovieFragments: Sendable {
    /// The bytes before the first fragment: what EXT-X-MAP names.
    package let initialization: ByteBuffer
    /// Nanoseconds of every fragment.
    package let fragmentDuration: Int64

    /// A number in a fragment that grows from repetition to repetition.
    private struct Counter {
        var offset: Int
        /// 4 or 8 bytes, big-endian.
        var width: Int
        var step: Int64
    }

    private struct Fragment {
        var bytes: ByteBuffer
        var counters: [Counter] = []
    }

    private let fragments: [Fragment]
    private let padding: Int
    private let noise: ByteBuffer

    /// - Parameters:
    ///   - seconds: of every fragment.
    ///   - padding: bytes of a `free` box with noise at each fragment's end, that players skip: they make the stream's
    ///     rate what a measurement needs. Below 16 there is none.
    /// - Throws: a `LabError` when the file is not fragmented MP4.
    package init(_ file: ByteBuffer, seconds: Double, padding: Int = 0) throws(LabError) {
        fragmentDuration = Int64(seconds * 1e9)
        self.padding = max(0, padding)
        noise = padding >= 16 ? MovieFragments.makeNoise() : ByteBuffer()
        let boxes = try MovieBox.list(file, 0..<file.readableBytes)
        guard let first = boxes.first(where: { $0.type == "moof" }) else { throw LabError("no movie fragment") }
        initialization = MovieFragments.slice(file, 0..<first.range.lowerBound)
        let starts = boxes.filter { $0.type == "moof" }.map { $0.range.lowerBound } + [file.readableBytes]
        let total = Int64(starts.count - 1) * fragmentDuration
        let timescales = try MovieFragments.timescales(file, boxes)
        fragments = try zip(starts, starts.dropFirst()).map { start, end throws(LabError) in
            let bytes = MovieFragments.slice(file, start..<end)
            var fragment = Fragment(bytes: bytes)
            fragment.counters = try MovieFragments.counters(bytes, timescales, total, fragments: starts.count - 1)
            return fragment
        }
    }

    /// Fragments before the recording starts over.
    package var count: Int { fragments.count }

    /// The bytes of any fragment of the endless programme.
    package func fragment(_ index: Int) -> ByteBuffer {
        let source = fragments[index % fragments.count]
        let repetition = Int64(index / fragments.count)
        var bytes = source.bytes
        for counter in source.counters {
            if counter.width == 8 {
                let value = bytes.getInteger(at: counter.offset, as: UInt64.self) ?? 0
                bytes.setInteger(value &+ UInt64(repetition * counter.step), at: counter.offset)
            } else {
                let value = bytes.getInteger(at: counter.offset, as: UInt32.self) ?? 0
                bytes.setInteger(value &+ UInt32(truncatingIfNeeded: repetition * counter.step), at: counter.offset)
            }
        }
        appendPadding(&bytes, index: index)
        return bytes
    }

    /// Of `fragment`, without making it.
    package func byteCount(_ index: Int) -> Int {
        fragments[index % fragments.count].bytes.readableBytes + (padding >= 16 ? padding : 0)
    }

    private func appendPadding(_ bytes: inout ByteBuffer, index: Int) {
        guard padding >= 16 else { return }
        bytes.writeInteger(UInt32(padding))
        bytes.writeString("free")
        bytes.writeInteger(UInt64(index))
        var rest = padding - 16
        while rest > 0 {
            let piece = min(rest, noise.readableBytes)
            bytes.writeImmutableBuffer(noise.getSlice(at: 0, length: piece) ?? noise)
            rest -= piece
        }
    }

    /// 64 KiB that do not compress, the same in every run (splitmix64).
    private static func makeNoise() -> ByteBuffer {
        var state: UInt64 = 0
        var noise = ByteBuffer()
        for _ in 0..<8192 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            noise.writeInteger(word ^ (word >> 31))
        }
        return noise
    }

    /// Ticks per second of each track, by its identifier.
    private static func timescales(_ file: ByteBuffer, _ boxes: [MovieBox]) throws(LabError) -> [UInt32: Int64] {
        var timescales: [UInt32: Int64] = [:]
        guard let movie = boxes.first(where: { $0.type == "moov" }) else { throw LabError("no movie box") }
        for track in try MovieBox.list(file, movie.payload) where track.type == "trak" {
            let parts = try MovieBox.list(file, track.payload)
            guard let header = parts.first(where: { $0.type == "tkhd" }),
                let media = parts.first(where: { $0.type == "mdia" }),
                let mediaHeader = try MovieBox.list(file, media.payload).first(where: { $0.type == "mdhd" }),
                let identifier = header.number(file, afterTimes: true),
                let timescale = mediaHeader.number(file, afterTimes: true)
            else { throw LabError("a track without header") }
            timescales[identifier] = Int64(timescale)
        }
        return timescales
    }

    private static func counters(
        _ bytes: ByteBuffer,
        _ timescales: [UInt32: Int64],
        _ total: Int64,
        fragments: Int
    ) throws(LabError) -> [Counter] {
        var counters: [Counter] = []
        guard let movie = try MovieBox.list(bytes, 0..<bytes.readableBytes).first else { return [] }
        for box in try MovieBox.list(bytes, movie.payload) {
            if box.type == "mfhd" {
                counters.append(Counter(offset: box.payload.lowerBound + 4, width: 4, step: Int64(fragments)))
            }
            guard box.type == "traf" else { continue }
            let parts = try MovieBox.list(bytes, box.payload)
            guard let header = parts.first(where: { $0.type == "tfhd" }),
                let time = parts.first(where: { $0.type == "tfdt" }),
                let identifier = header.number(bytes), let timescale = timescales[identifier],
                let version: UInt8 = bytes.getInteger(at: time.payload.lowerBound)
            else { throw LabError("a track fragment without time") }
            let ticks = timescale * total
            guard ticks % 1_000_000_000 == 0 else { throw LabError("track \(identifier) does not fill the recording") }
            counters.append(
                Counter(offset: time.payload.lowerBound + 4, width: version == 1 ? 8 : 4, step: ticks / 1_000_000_000)
            )
        }
        return counters
    }

    private static func slice(_ file: ByteBuffer, _ range: Range<Int>) -> ByteBuffer {
        ByteBuffer(bytes: file.viewBytes(at: range.lowerBound, length: range.count) ?? ByteBuffer().readableBytesView)
    }
}

/// A box of an ISO base media file (ISO/IEC 14496-12 section 4.2), by its offsets.
private struct MovieBox {
    var type: String
    var range: Range<Int>
    /// Without size and type.
    var payload: Range<Int> { range.lowerBound + 8..<range.upperBound }

    /// The boxes that follow one another in a range.
    static func list(_ bytes: ByteBuffer, _ range: Range<Int>) throws(LabError) -> [MovieBox] {
        var boxes: [MovieBox] = []
        var start = range.lowerBound
        while start < range.upperBound {
            guard let size: UInt32 = bytes.getInteger(at: start), let type = bytes.getString(at: start + 4, length: 4),
                size >= 8, start + Int(size) <= range.upperBound
            else { throw LabError("a broken box at byte \(start)") }
            boxes.append(MovieBox(type: type, range: start..<start + Int(size)))
            start += Int(size)
        }
        return boxes
    }

    /// The first number of a full box: after version and flags, and if asked after two times, wide in version 1.
    func number(_ bytes: ByteBuffer, afterTimes: Bool = false) -> UInt32? {
        let isWide = bytes.getInteger(at: payload.lowerBound, as: UInt8.self) == 1
        return bytes.getInteger(at: payload.lowerBound + 4 + (afterTimes ? (isWide ? 16 : 8) : 0))
    }
}
