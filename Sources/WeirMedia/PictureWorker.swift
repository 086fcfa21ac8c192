import CLibAV
package import WeirCore

/// Makes a picture of a stream of the agent: the keyframe at or before the place where the manifest says to begin, or of the
/// first segment that a player would take. Of several manifests all in rows.
package enum PictureWorker {
    package struct Order: Sendable {
        /// The stream's manifests at the agent, one for each picture.
        package var manifests: [WebURL]
        /// Pictures in a row.
        package var columns: Int
        /// Pixels of a row.
        package var width: Int
        /// Write the JPEG alone, without records around it.
        package var isPlain: Bool

        package init(manifests: [WebURL], columns: Int, width: Int, isPlain: Bool) {
            self.manifests = manifests
            self.columns = columns
            self.width = width
            self.isPlain = isPlain
        }
    }

    /// - Returns: why there is none; nil when it was written.
    package static func run(_ order: Order) -> String? {
        RecordWriter.answering(isPlain: order.isPlain) { writer in
            try writer.write(.block, pictures(order), time: 0)
            try writer.write(.end, [], time: 0)
        }
    }

    private static func pictures(_ order: Order) throws -> [UInt8] {
        guard let first = order.manifests.first else { throw RemuxFault("there is nothing to show") }
        guard order.manifests.count > 1 else { return try picture(of: first, width: order.width).jpeg() }
        let columns = max(1, order.columns)
        var failure: (any Error)?
        let cells = order.manifests.map { manifest -> StillPicture? in
            do {
                return try picture(of: manifest, width: order.width / columns)
            } catch {
                failure = error
                return nil
            }
        }
        guard let sheet = try StillPicture(cells, columns: columns) else {
            throw failure ?? RemuxFault("there is nothing to show")
        }
        return try sheet.jpeg()
    }

    private static func picture(of manifest: WebURL, width: Int) throws -> StillPicture {
        guard let source = try MediaWorker.sources(manifest, distance: .seconds(1)).first else {
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
        return try StillPicture(found, track.parameters, width: width)
    }

    private static func time(of packet: Packet, _ track: Demuxer.Track) -> Int64 {
        let time = packet.presentationTime ?? packet.decodeTime ?? 0
        return av_rescale_q(time, track.timeBase, Lane.microseconds)
    }
}
