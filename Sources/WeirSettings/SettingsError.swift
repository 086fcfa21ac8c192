/// A configuration that cannot be used: one line that names the place and what to do.
package struct SettingsError: Error, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Where a value came from, strongest first: flag > environment > file > default.
package enum SettingOrigin: Sendable, Equatable {
    case flag
    case environment
    case file(path: String)
    case defaultValue

    /// The place as an error message names it.
    func place(of name: SettingName) -> String {
        switch self {
        case .flag: "--\(name.flag)"
        case .environment: name.environment
        case .file(let path): "\(name.key) in \(path)"
        case .defaultValue: "the default of \(name.key)"
        }
    }
}
