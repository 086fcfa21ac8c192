/// What a connection tells of a reader of a continuous output.
struct ContinuousReader {
    /// The kernel took what was written.
    let onWritable: () -> Void
    /// It closed, or failed.
    let onGone: () -> Void
}
