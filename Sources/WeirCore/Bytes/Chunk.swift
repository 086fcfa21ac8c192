/// The unit of digest and resume.
package enum Chunk {
    /// Bytes; the last chunk of a segment may be shorter.
    package static let byteCount = 16 * 1024

    /// How many chunks a segment of this many bytes has.
    package static func count(ofBytes bytes: Int64) -> Int {
        let whole = max(0, bytes) / Int64(byteCount)
        return Int(clamping: whole) + (max(0, bytes) % Int64(byteCount) > 0 ? 1 : 0)
    }
}
