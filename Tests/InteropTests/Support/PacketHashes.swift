import Testing

extension Stage {
    /// Each track's packets as they are, into what `output` says.
    private func copy(_ inputs: [String], to output: [String]) -> [String] {
        let maps = inputs.count > 1 ? ["-map", "0:v:0", "-map", "1:a:0"] : ["-map", "0:v:0", "-map", "0:a:0"]
        return inputs.flatMap { ["-i", $0] } + maps + ["-c", "copy"] + output
    }

    /// A hash over every packet of each track, as ffmpeg reads them without a complaint.
    func packets(_ input: String) async throws -> [String] {
        let head = ["ffmpeg", "-v", "error", "-xerror", "-nostdin"]
        let result = try await run(head + copy([input], to: ["-f", "streamhash", "-"]), within: 40)
        guard result.code == 0, result.errors.isEmpty else { return ["code \(result.code): \(result.errors)"] }
        return result.output.split(separator: "\n").map { String($0.split(separator: ",").last ?? "") }
    }

    /// The packets that the origin has, as each container writes them.
    func expectedPackets(_ inputs: [String], in format: String) async throws -> [String] {
        let file = "\(directory)/expected.\(format)"
        let muxer = format == "mkv" ? "matroska" : format == "ts" ? "mpegts" : format
        // At a discontinuity ffmpeg complains of the origin's packets, and copies them all the same.
        let head = ["ffmpeg", "-v", "fatal", "-nostdin", "-y"]
        let result = try await run(head + copy(inputs, to: ["-f", muxer, file]), within: 40)
        try #require(result.code == 0, "\(result.errors)")
        return try await packets(file)
    }
}
