/// The parts of the shell that perform the core's outputs.
struct HostParts: Sendable {
    let endpoint: Endpoint
    let origin: OriginClient
    let links: any LinkTransport
    let trackers: any TrackerTransport
    /// Of the time shift window; nil where it has none on a disk.
    let windowFiles: WindowFiles?
}
