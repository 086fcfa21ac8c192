import CLibAV
package import WeirCore

/// Makes a picture of a stream of the agent: the keyframe at or before the place where the manifest says to begin, or of the
/// first segment that a player would take.
package enum PictureWorker {
    package struct Order: Sendable {
        /// The stream's manifest at the agent.
        package var manifest: WebURL
        /// Pixels.
        package var width: Int
        /// Write the JPEG alone, without records around it.
        package var isPlain: Bool

        package init(manifest: WebURL, width: Int, isPlain: Bool) {
            self.manifest = manifest
            self.width = width
            self.isPlain = isPlain
        }
    }

    /// - Returns: why there is none; nil when it was written.
    package static func run(_ order: Order) -> String? {
        MediaWorker.limitMemory()
        let writer = RecordWriter(isPlain: order.isPlain)
        do {
            try writer.write(.block, picture(order), time: 0)
            try writer.write(.end, [], time: 0)
            return nil
        } catch is RecordWriter.Closed {
            return nil
        } catch {
            let text = "\(error)"
            try? writer.write(.fault, Array(text.utf8.prefix(512)), time: 0)
            return text
        }
    }

    private static func picture(_ order: Order) throws -> [UInt8] {
        guard let source = try MediaWorker.sources(order.manifest, distance: .seconds(1)).first else {
            throw RemuxFault("the stream has no picture")
        }
        source.isGlance = true
        guard let first = try source.peek() else { throw RemuxFault("the stream has no segments") }
        let sought = source.startWithin.nanoseconds / 1000
        let bytes = SegmentBytes(source, from: first) { _ in }
        let demuxer = try Demuxer(bytes)
        guard let track = try demuxer.tracks().first(where: { $0.parameters.isVideo }) else {
            throw RemuxFault("the stream has no picture")
        }
        var begin: Int64?
        var found: Packet?
        while let packet = try demuxer.read() {
            guard packet.pointer.pointee.stream_index == track.index else { continue }
            guard !packet.isEncrypted else { throw RemuxFault("the stream is encrypted; only players have its keys") }
            let time = PictureWorker.time(of: packet, track)
            let start = begin ?? time
            begin = start
            guard packet.isKey else { continue }
            if found == nil || time - start <= sought { found = packet }
            if time - start >= sought { break }
        }
        guard let found else { throw bytes.fault ?? RemuxFault("there is no keyframe in the segment") }
        return try StillPicture.jpeg(of: found, track.parameters, width: order.width)
    }

    private static func time(of packet: Packet, _ track: Demuxer.Track) -> Int64 {
        let time = packet.presentationTime ?? packet.decodeTime ?? 0
        return av_rescale_q(time, track.timeBase, Lane.microseconds)
    }
}
