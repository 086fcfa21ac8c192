/// What is set of continuous outputs (`/s/{stream}/live.ts` and its like).
package struct ContinuousSettings: Sendable {
    /// Nobody gets one when off.
    package var isOn = true
    /// The command that remuxes; nil: this build has none.
    package var worker: [String]?
    /// Bytes that each output keeps for readers that join or lag.
    package var cacheBytes = 8 * 1024 * 1024
    /// Workers at once. A live output has one, whoever reads; of a recording each reader has one.
    package var workers = 4
    /// Seconds that a worker goes on when its last reader has left.
    package var lingerSeconds: Int64 = 5
    /// Seconds that a reader may take nothing though there is something.
    package var stuckSeconds: Int64 = 30
    /// Seconds that a reader waits for the first byte.
    package var firstByteSeconds: Int64 = 20

    package init() {}
}
