import FoundationEssentials

/// Where this program lies, and its companions beside it.
enum ProgramFolder {
    /// The path that a companion has, whether it is there or not; its name alone, to be searched in PATH, where the
    /// system does not say where this program is.
    static func path(of companion: String) -> String {
        guard let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            let slash = own.lastIndex(of: "/")
        else { return companion }
        return own[...slash] + companion
    }
}
