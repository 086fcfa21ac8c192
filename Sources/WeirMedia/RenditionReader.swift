import CLibAV
import WeirCore

/// One rendition as packets: opens a demuxer for each stretch of segments that make one container.
final class RenditionReader {
    enum Event {
        /// A container begins; its tracks, and the timeline that its times belong to.
        case opened([Demuxer.Track], timeline: UInt64)
        case packet(Packet)
        case over
    }

    /// Containers in a row that hold nothing that can be read until the stream is given up.
    private static let patience = 8

    let source: RenditionSource
    let report: (String) -> Void
    private var demuxer: Demuxer?
    private var bytes: SegmentBytes?
    private var failures = 0
    /// By the number of a track: the segment of its newest packet.
    private var latest: [Int: CaptureJournal.Place] = [:]

    /// - Parameter report: told of damaged and missing segments.
    init(_ source: RenditionSource, report: @escaping (String) -> Void) {
        self.source = source
        self.report = report
    }

    func next() throws -> Event {
        while true {
            guard let demuxer else {
                guard let opened = try open() else { return .over }
                return opened
            }
            do throws(AVFailure) {
                if let packet = try demuxer.read() {
                    failures = 0
                    note(packet)
                    return .packet(packet)
                }
            } catch {
                if bytes?.fault == nil { try count(failure: "\(error)") }
            }
            self.demuxer = nil
            if let fault = bytes?.fault { throw fault }
        }
    }

    /// Of several frames in one piece of a container only the first says where it was.
    private func note(_ packet: Packet) {
        let track = Int(packet.pointer.pointee.stream_index)
        let place = packet.offset == nil ? latest[track] : nil
        packet.place = place ?? bytes?.place(at: packet.offset)
        latest[track] = packet.place
    }

    private func open() throws -> Event? {
        while let first = try source.peek() {
            latest = [:]
            let bytes = SegmentBytes(source, from: first, report: report)
            self.bytes = bytes
            var failure = "there is neither picture nor sound in it"
            do throws(AVFailure) {
                let demuxer = try Demuxer(bytes)
                let tracks = try demuxer.tracks()
                if !tracks.isEmpty {
                    self.demuxer = demuxer
                    return .opened(tracks, timeline: first.timeline)
                }
            } catch {
                failure = "\(error)"
            }
            if bytes.fault == nil { try count(failure: failure) }
            if let fault = bytes.fault { throw fault }
            // Whatever the demuxer made of it, the walk goes on.
            if try source.peek() == first { source.take() }
        }
        return nil
    }

    private func count(failure: String) throws(RemuxFault) {
        report(failure)
        failures += 1
        guard failures < RenditionReader.patience else { throw RemuxFault("the media cannot be read: \(failure)") }
    }
}
