import WeirCore

/// What is kept and shown of what was streamed.
extension SettingsTable {
    static let timeShift: [Setting] = [
        Setting(
            .dvrLength,
            .duration(\.agent.dvrLength, atLeast: .zero),
            default: "0",
            "How much of a watched live stream is kept for time shift (dvr.m3u8, ?at=), also while its player pauses; 0 "
                + "offers what happens to be held.",
            source: "0: a box has little memory, and most viewers watch what is live"
        ),
        Setting(
            .dvrMemory,
            .size(\.agent.dvrBytes),
            default: "0",
            "Memory for that window beside cache_memory; the newest that fits is kept for good.",
            source: "0: without a length there is nothing to keep; ten minutes of 6 Mbit/s are 450 MiB"
        ),
        Setting(
            .dvrDirectory,
            .file(\.dvrDirectory),
            "A directory for what memory has no room for of that window. One agent uses it; nothing stays there when it ends.",
            source: "unset: nothing is written; the memory cards of boxes wear out"
        ),
        Setting(
            .dvrDisk,
            .size(\.dvrDiskBytes),
            default: "4GiB",
            "Bytes of the disk that the window may take in dvr_directory; recording_floor is left free.",
            source: "an hour and a half of 6 Mbit/s"
        ),
        Setting(
            .previews,
            .boolean(\.previews),
            default: "true",
            "Give a picture of each stream at /s/{stream}/preview.jpg: one keyframe decoded at a time, at most once in 10 s "
                + "for a stream and moment.",
            source: "it costs nothing until somebody looks"
        ),
    ]
}
