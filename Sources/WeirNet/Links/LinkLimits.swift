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
    /// Bytes that the kernel takes of one link beyond what it has sent (TCP_NOTSENT_LOWAT, tcp(7)); it looks before
    /// each of its own buffers, so one more of those may lie there. A byte in the kernel can be neither cancelled nor
    /// overtaken: with the usual buffer of megabytes a have or a cancel would queue behind seconds of payload on a
    /// home's uplink, and what the core decides would come too late. One chunk keeps the link busy all the same, because
    /// the event loop hears of room at half of it. The simulator's links assume the same (`Transport.linkUnsentLimit`).
    package var unsentBytes: CInt = 16 * 1024
    /// What the kernel is asked to hold of one link in all: what is under way, now that little waits unsent. Linux
    /// doubles the number and counts its own overhead in it. Enough for 8 Mbit/s over 250 ms or 50 Mbit/s over 40 ms.
    package var socketSendBytes: CInt = 256 * 1024

    package init() {}
}
