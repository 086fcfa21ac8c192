/// What is set of recordings.
package struct CaptureSettings: Sendable {
    /// Where programs may have files recorded through the control API; nil: nowhere.
    package var directory: String?
    /// Bytes of the disk that recordings leave free.
    package var floorBytes = 1024 * 1024 * 1024
    /// Recordings that are not over, at most; and those that are and still are told of.
    package var most = 16
    package var mostOver = 32
    /// Milliseconds until a worker that failed is replaced, doubled each time, up to 64 times as many.
    package var pauseMilliseconds: Int64 = 250
    /// Workers that fail in a row without having written anything, until a recording is given up.
    package var patience = 12

    package init() {}
}
