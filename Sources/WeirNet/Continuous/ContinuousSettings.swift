import NIOCore
package import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What is set of continuous outputs (`/s/{stream}/live.ts` and its like).
package struct ContinuousSettings: Sendable {
    /// Nobody gets one when off.
    package var isOn = true
    /// The program that remuxes, `weir-media`, and its first arguments. One without a slash is searched in PATH.
    package var worker: [String] = []
    /// Whether there are pictures of streams, and for how long one is shown.
    package var previews = true
    package var previewSeconds: Int64 = 10
    /// Bytes that each output keeps for readers that join or lag.
    package var cacheBytes = 8 * 1024 * 1024
    /// Media that a new reader of a live output gets at once.
    package var burst = WeirCore.Duration.seconds(6)
    /// Workers at once. A live output has one, whoever reads; of a recording each reader has one.
    package var workers = 4
    /// Seconds that a worker goes on when its last reader has left.
    package var lingerSeconds: Int64 = 5
    /// Seconds that a reader may take nothing though there is something.
    package var stuckSeconds: Int64 = 30
    /// Seconds that a reader waits for the first byte.
    package var firstByteSeconds: Int64 = 20

    /// Told of segments that the media program finds damaged: local address and reason.
    package var onDamage: (@Sendable (String, String) -> Void)?

    package init() {}

    /// - Parameter body: of the record that says so.
    func tellDamage(_ body: ByteBuffer) {
        let parts = String(buffer: body).split(separator: "\n", maxSplits: 1)
        if parts.count == 2 { onDamage?(String(parts[0]), String(parts[1])) }
    }

    /// Why the worker cannot be started now; nil when it can. To be asked each time: programs are installed and removed
    /// while agents run.
    package var lack: String? {
        guard let program = worker.first else { return "no program that remuxes is set" }
        guard program.contains("/"), access(program, X_OK) != 0 else { return nil }
        return "there is no program \(program)"
    }
}
