import FoundationEssentials
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What the tests run and where it is.
enum Programs {
    /// Built beside the tests.
    static let weir: String = {
        let tests = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().path + "/weir"
    }()

    /// The checkout.
    static let package = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    /// Full lengths instead of those that fit into a check of every change.
    static let isLong = ProcessInfo.processInfo.environment["WEIR_LONG"] == "1"

    static func exists(_ program: String) -> Bool {
        if program.contains("/") { return access(program, X_OK) == 0 }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").contains { access("\($0)/\(program)", X_OK) == 0 }
    }
}

extension Trait where Self == ConditionTrait {
    /// Skips a test, with a reason, where programs that it runs are not installed.
    static func needs(_ programs: String...) -> ConditionTrait {
        let missing = (programs + [Programs.weir]).filter { !Programs.exists($0) }
        return .enabled(
            if: missing.isEmpty,
            "MISSING: \(missing.joined(separator: ", ")) (Scripts/setup installs what tests run)"
        )
    }
}

/// A line for whoever reads the test's output.
func report(_ line: String) { print("interop: \(line)") }

/// Looks again and again until it is so, at most this long.
func eventually(within seconds: Double, _ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(50))
    }
    return try await condition()
}
