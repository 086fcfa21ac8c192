/// The annotated sample that `weir config` prints: a valid file, in which every key says its default.
package func sampleFile() -> String {
    var lines = [
        "// Weir's configuration: weir play --config FILE URL",
        "// JSON5: comments, trailing commas and unquoted keys are welcome.",
        "// A flag (--min-buffer-size) wins over the environment (WEIR_MIN_BUFFER_SIZE), that over this file.",
        "{",
    ]
    for setting in SettingsTable.settings {
        let isTrackers = setting.commands == [.tracker]
        lines.append("  // \(isTrackers ? "weir tracker: " : "")\(setting.meaning)")
        lines.append(
            "  // \(setting.syntax.valueName)\(setting.syntax.repeatable ? " (a list)" : ""); \(defaultNote(setting))"
        )
        lines.append("  \(assignment(setting)),")
        lines.append("")
    }
    lines.removeLast()
    lines.append("}")
    return lines.joined(separator: "\n") + "\n"
}

private func defaultNote(_ setting: Setting) -> String {
    let serve =
        (setting.serveDefault.map { ", with serve \($0)" } ?? "")
        + (setting.trackerDefault.map { ", of a tracker \($0)" } ?? "")
    let value = setting.defaultText.isEmpty ? "" : "default \(setting.defaultText)\(serve): "
    return value + setting.source
}

/// A key whose default depends on the command, or that has none, is commented out.
private func assignment(_ setting: Setting) -> String {
    let key = setting.name.key
    if setting.syntax.repeatable { return "\(key): []" }
    if setting.syntax.isBoolean { return "\(key): \(setting.defaultText)" }
    if setting.serveDefault != nil { return "// \(key): \"\(setting.defaultText)\"" }
    return setting.defaultText.isEmpty ? "// \(key): \"\"" : "\(key): \"\(setting.defaultText)\""
}
