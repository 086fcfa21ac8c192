import FoundationEssentials
import NIOCore
import NIOPosix
import Synchronization
import Testing
import WeirCore

@testable import WeirNet

@Suite("The time shift window's files", .timeLimit(.minutes(1)))
struct WindowFilesTests {
    /// What the shell told, waited for.
    private final class Answers: Sendable {
        private let stream: AsyncStream<DiskAnswer>
        private let continuation: AsyncStream<DiskAnswer>.Continuation

        init() { (stream, continuation) = AsyncStream.makeStream() }

        func put(_ input: Input) { if case .disk(let answer) = input { continuation.yield(answer) } }

        func next() async throws -> DiskAnswer {
            for await answer in stream { return answer }
            throw CancellationError()
        }
    }

    private static let chunks: [[UInt8]] = [
        (0..<Chunk.byteCount).map { UInt8(truncatingIfNeeded: $0) },
        (0..<Chunk.byteCount).map { UInt8(truncatingIfNeeded: $0 &* 7) }, [1, 2, 3],
    ]
    private static let evidence: [UInt8] = [9, 8, 7]

    private func directory() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/weir-files-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private func files(_ directory: String, floor: Int = 0) -> (WindowFiles, Answers) {
        let answers = Answers()
        let place = WindowPlace(directory: directory, floorBytes: floor)
        return (WindowFiles(place, loop: RawConnection.group.next()) { answers.put($0) }, answers)
    }

    private func write(_ files: WindowFiles, _ number: UInt64) {
        let payloads = Self.chunks.map { BufferPayload(ByteBuffer(bytes: $0)) }
        files.perform(.write(DiskFileID(number), chunks: payloads, evidence: Self.evidence))
    }

    private func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/" + WindowFiles.folder).sorted()
    }

    @Test("What was written is read again, chunk by chunk; what is removed is gone, and all of it at the end")
    func whole() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (files, answers) = files(directory)
        write(files, 4)
        guard case .written(DiskFileID(4)) = try await answers.next() else { return #expect(Bool(false)) }
        #expect(try names(directory) == ["4.segment", "lock"])
        files.perform(.read(DiskFileID(4)))
        guard case .read(DiskFileID(4), let chunks, Self.evidence) = try await answers.next() else {
            return #expect(Bool(false))
        }
        #expect(chunks.map { $0.bytes() } == Self.chunks)
        write(files, 5)
        files.perform(.remove(DiskFileID(4)))
        files.perform(.read(DiskFileID(4)))
        guard case .written(DiskFileID(5)) = try await answers.next(),
            case .unreadable(DiskFileID(4), .failed) = try await answers.next()
        else { return #expect(Bool(false)) }
        try await files.shutDown().get()
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
    }

    @Test(
        "F84 A file that was cut off, grew or has one other bit is damaged",
        arguments: ["cut", "longer", "bit", "gone"]
    )
    func damaged(how: String) async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (files, answers) = files(directory)
        write(files, 1)
        _ = try await answers.next()
        let path = "\(directory)/\(WindowFiles.folder)/1.segment"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        switch how {
        case "cut": bytes.removeLast(100)
        case "longer": bytes.append(0)
        case "bit": bytes[20_000] ^= 0x10
        default: break
        }
        if how == "gone" {
            try FileManager.default.removeItem(atPath: path)
        } else {
            try bytes.write(to: URL(fileURLWithPath: path))
        }
        files.perform(.read(DiskFileID(1)))
        guard case .unreadable(DiskFileID(1), let failure) = try await answers.next() else {
            return #expect(Bool(false))
        }
        #expect(how == "gone" ? failure != .damaged : failure == .damaged)
        try await files.shutDown().get()
    }

    @Test("F88 What a killed agent left is removed; while one runs another one is refused, and takes over afterwards")
    func leftovers() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let folder = directory + "/" + WindowFiles.folder
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for name in ["1.segment", "77.segment", "photo.jpg"] {
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        let (first, told) = files(directory)
        write(first, 2)
        _ = try await told.next()
        #expect(try names(directory) == ["2.segment", "lock", "photo.jpg"])
        let (second, refused) = files(directory)
        guard case .unusable(.failed(let reason)) = try await refused.next() else { return #expect(Bool(false)) }
        #expect(reason.hasPrefix("another agent uses "))
        write(second, 1)
        guard case .notWritten(DiskFileID(1), .failed) = try await refused.next() else { return #expect(Bool(false)) }
        #expect(try names(directory) == ["2.segment", "lock", "photo.jpg"])
        try await first.shutDown().get()
        write(second, 2)
        guard case .written(DiskFileID(2)) = try await refused.next() else { return #expect(Bool(false)) }
        try await second.shutDown().get()
        #expect(try names(directory) == ["photo.jpg"])
    }

    @Test("F83 Where there is no room above the floor nothing is written; a place that is no directory is told at once")
    func full() async throws {
        let directory = try directory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let (files, answers) = files(directory, floor: .max)
        write(files, 1)
        guard case .notWritten(DiskFileID(1), .full) = try await answers.next() else { return #expect(Bool(false)) }
        #expect(try names(directory) == ["lock"])
        try await files.shutDown().get()

        try Data([1]).write(to: URL(fileURLWithPath: directory + "/file"))
        let (other, failures) = self.files(directory + "/file")
        guard case .unusable(.failed(let reason)) = try await failures.next() else { return #expect(Bool(false)) }
        #expect(reason.hasPrefix("cannot make ") && !reason.contains("\n"))
        write(other, 1)
        guard case .notWritten(DiskFileID(1), .failed) = try await failures.next() else { return #expect(Bool(false)) }
        try await other.shutDown().get()
    }
}
