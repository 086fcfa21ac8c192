package import WeirCore

/// The process that records one stream into one file: a client of its agent, as `MediaWorker`.
package enum CaptureWorker {
    /// The journal's name is the file's and this.
    package static let journalSuffix = ".journal"

    package struct Order: Sendable {
        /// The stream's manifest at the agent.
        package var manifest: WebURL
        /// Names the stream in the journal.
        package var stream: String
        package var path: String
        package var format: ContinuousFormat
        package var floor: FreeSpaceFloor
        package var length: CaptureLength
        /// When it ends by the clock, instead of after some length.
        package var until: WallTime?

        package init(
            manifest: WebURL,
            stream: String,
            path: String,
            format: ContinuousFormat,
            floor: FreeSpaceFloor,
            length: CaptureLength
        ) {
            self.manifest = manifest
            self.stream = stream
            self.path = path
            self.format = format
            self.floor = floor
            self.length = length
        }
    }

    /// How a recording ended.
    package enum Ending: Sendable, Hashable {
        case complete, full
        /// It could go on: the agent has gone, or something else that may be otherwise the next time.
        case interrupted(String)
        /// It cannot go on in this file.
        case failed(String)
    }

    /// Records to the end of the stream, or of the wanted length.
    /// - Parameters:
    ///   - tell: takes the journal whenever it changes; an error from it ends the recording.
    ///   - tellDamage: takes what a record tells of a damaged segment.
    ///   - note: takes a line for the log.
    package static func run(
        _ order: Order,
        tell: @escaping (CaptureJournal) throws -> Void,
        tellDamage: @escaping ([UInt8]) -> Void,
        note: @escaping (String) -> Void
    ) -> Ending {
        MediaWorker.confine()
        let file: CaptureFile
        do { file = try CaptureFile(order, tell: tell) } catch { return .failed("\(error)") }
        do {
            do { try record(order, into: file, tellDamage, note) } catch CaptureFile.Ending.complete {}
            try file.complete()
            return .complete
        } catch CaptureFile.Ending.full {
            file.end(.full, reason: "the disk has no more space than is left free")
            return .full
        } catch CaptureFile.Ending.unlike {
            return failed(file, "the stream is described differently now, and cannot go on in this file")
        } catch let change as StreamChange {
            return failed(file, change.change)
        } catch {
            file.end(.recording, reason: "\(error)")
            return .interrupted("\(error)")
        }
    }

    /// What is in the file stays, and plays; what the stream is now needs another one.
    private static func failed(_ file: CaptureFile, _ reason: String) -> Ending {
        file.end(.failed, reason: reason)
        return .failed(reason)
    }

    private static func record(
        _ order: Order,
        into file: CaptureFile,
        _ tellDamage: @escaping ([UInt8]) -> Void,
        _ note: @escaping (String) -> Void
    ) throws {
        let readers = try MediaWorker.sources(order.manifest, distance: .zero).map { source in
            source.isPatient = true
            source.tellDamage = { tellDamage(MediaWorker.damage($0, $1)) }
            return RenditionReader(source, report: note)
        }
        let remuxer = try Remuxer(
            recording: readers,
            format: order.format,
            sink: file,
            after: file.journal.point,
            blocks: file.journal.blocks
        )
        file.isLive = readers.first?.source.isLive ?? false
        try remuxer.run()
    }
}
