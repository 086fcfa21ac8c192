import WeirCore

/// What is recorded, and where.
extension SettingsTable {
    static let captures: [Setting] = [
        Setting(
            .recordingDirectory,
            .file(\.captureDirectory),
            "Directory that the control API may have streams recorded into (POST /v1/recordings).",
            source: "unset: such calls are refused"
        ),
        Setting(
            .recordingFloor,
            .size(\.captureFloorBytes),
            default: "1GiB",
            "Space on the disk that recordings and dvr_directory leave free: they stop before less is left.",
            source: "what a small system needs for its logs and updates"
        ),
        Setting(
            .recordings,
            .many("WHAT", \.captures, expected: ScheduledCapture.expected) { ScheduledCapture($0) },
            "A recording to be made: \"START LENGTH FILE URL\". After a restart amid its time it goes on.",
            source: "unset: none"
        ),
    ]
}
