package import NIOCore

/// What a hub of links allows each connection.
package struct LinkLimits: Sendable {
    /// For a TCP connection to come up, names resolved.
    package var connect = TimeAmount.seconds(5)
    /// From a TCP connection to the peer's hello, TLS included.
    package var hello = TimeAmount.seconds(5)
    /// For what was sent to leave when a link is closed.
    package var farewell = TimeAmount.seconds(1)
    /// Connections from outside that have not said hello.
    package var strangers = 64
    /// Bytes written to one link that have not left for the kernel: a link with more is closed. The core stays far
    /// below, by what `linkDrained` reports.
    package var pendingBytes = 1024 * 1024
    /// Bytes that are written before they are flushed in the middle of a drain, so that their leaving is reported in
    /// pieces of this size.
    package var flushBytes = 64 * 1024
    /// What the kernel is asked to hold of one link. Linux doubles the number. Little, so that a cancel leaves little
    /// queued; enough for 8 Mbit/s over 100 ms.
    package var socketSendBytes: CInt = 64 * 1024

    package init() {}
}
