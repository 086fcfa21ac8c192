import FoundationEssentials
import Testing
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What `Scripts/media` made, once, before anything is measured.
enum Media {
    static let directory = Programs.package + "/.build/interop-media"

    /// Makes the folders that are missing.
    static func need(_ folders: String...) async throws {
        let process = try ChildProcess([Programs.package + "/Scripts/media", directory] + folders, ownGroup: true)
        let code = await process.exitCode()
        try #require(code == 0, "Scripts/media ended with code \(code)")
    }

    /// Bytes of the media files of a folder, all together.
    static func bytes(_ folder: String) throws -> Int64 {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/" + folder)
            .filter(isMedia).reduce(0) { $0 + size("\(directory)/\(folder)/\($1)") }
    }

    static func isMedia(_ path: String) -> Bool {
        [".ts", ".m4s", ".mp4", ".aac"].contains { path.hasSuffix($0) }
    }

    /// The segments of `ts60` in order: two seconds each.
    static func segments() throws -> [[UInt8]] {
        try segmentPaths.map { try readBytes($0) }
    }

    static let segmentPaths = (0..<30).map(segmentPath)

    static func segmentPath(_ index: Int) -> String {
        let digits = "0000\(index)".suffix(5)
        return "\(directory)/ts60/seg\(digits).ts"
    }

    static func size(_ path: String) -> Int64 {
        var information = stat()
        return stat(path, &information) == 0 ? Int64(information.st_size) : 0
    }
}
