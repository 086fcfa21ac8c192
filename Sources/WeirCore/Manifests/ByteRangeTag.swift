/// EXT-X-BYTERANGE (RFC 8216bis 4.4.4.2) and the BYTERANGE attribute: `<n>[@<o>]`.
struct ByteRangeTag {
    let length: Int64
    /// Nil: where the previous range of the same resource ended.
    let offset: Int64?

    init?(_ text: ArraySlice<UInt8>) {
        let text = text.trimmingBlanks
        let at = text.firstIndex(of: ASCII.at)
        guard let length = DecimalText.byteCount(text[..<(at ?? text.endIndex)]), length > 0 else { return nil }
        self.length = length
        guard let at else {
            offset = nil
            return
        }
        guard let offset = DecimalText.byteCount(text[(at + 1)...]) else { return nil }
        self.offset = offset
    }

    /// - Parameter implicitOffset: where the previous range of the same resource ended, 0 when there was none.
    /// - Returns: nil when the range ends behind what 63 bits can say.
    func range(implicitOffset: Int64) -> ByteRange? {
        let start = offset ?? implicitOffset
        let (_, overflow) = start.addingReportingOverflow(length)
        return overflow ? nil : ByteRange(offset: start, length: length)
    }
}
