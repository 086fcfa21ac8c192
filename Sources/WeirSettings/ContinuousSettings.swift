import WeirCore

/// Streams as one file without an end, and the program that makes them.
extension SettingsTable {
    static let continuousOutputs: [Setting] = [
        Setting(
            .continuousOutputs,
            .boolean(\.continuousOutputs),
            default: "true",
            "Offer each stream also as one file without an end: /s/{stream}/live.ts, .flv, .mp4 and .mkv, remuxed.",
            source: "it costs nothing until somebody reads one"
        ),
        Setting(
            .gopCacheSize,
            .size(\.gopCacheBytes),
            default: "8MiB",
            "Memory for the latest groups of pictures of each such output: where new readers begin, and how far slow ones "
                + "may lag.",
            source: "ten seconds of 6 Mbit/s, more than encoders put between two keyframes"
        ),
        Setting(
            .mediaWorkers,
            .one("N", \.mediaWorkers, expected: "a number from 1 to 64") { text in
                Int(text).flatMap { (1...64).contains($0) ? $0 : nil }
            },
            default: "4",
            "Most processes that remux at once: one for each live output, one for each reader of a recording.",
            source: "what a household watches; each takes some 60 MiB"
        ),
        Setting(
            .startBurst,
            .duration(\.startBurst, atLeast: .zero),
            default: "6s",
            "How much of a live stream's past a new reader of such an output gets at once: its player starts the sooner, and "
                + "is as far behind the live end.",
            source: "ffmpeg and ffplay read five seconds of MPEG-TS or FLV before they show anything"
        ),
        Setting(
            .mediaProgram,
            .file(\.mediaProgram),
            "The program that remuxes.",
            source: "unset: weir-media in the directory of weir"
        ),
    ]
}
