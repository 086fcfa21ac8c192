/// One quality or track of a stream: the first eight bytes of SHA-256 over its stable name, so that agents that read
/// the same manifest by different hosts or tokens agree.
package struct RenditionKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
    package var description: String { String(value, radix: 16) }
}

/// The name of a segment: what a peer can be asked for without saying a URL.
///
/// The discontinuity sequence is no part of it, because it depends on when one joined.
package struct SegmentID: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        /// `number` is the media sequence number (RFC 8216bis 6.2.1).
        case media = 0
        /// An EXT-X-MAP initialisation section; `number` is derived from its resolved path and range.
        case initialisation = 1
    }

    package var rendition: RenditionKey
    package var kind: Kind
    package var number: UInt64
    /// The bytes of the resource that make the segment, where the playlist names a part of it.
    package var range: ByteRange?

    package init(rendition: RenditionKey, kind: Kind = .media, number: UInt64, range: ByteRange? = nil) {
        self.rendition = rendition
        self.kind = kind
        self.number = number
        self.range = range
    }
}

extension SegmentID: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        if left.rendition != right.rendition { return left.rendition < right.rendition }
        if left.kind != right.kind { return left.kind.rawValue < right.kind.rawValue }
        if left.number != right.number { return left.number < right.number }
        let leftRange = left.range ?? ByteRange(offset: 0, length: 0)
        let rightRange = right.range ?? ByteRange(offset: 0, length: 0)
        return (leftRange.offset, leftRange.length) < (rightRange.offset, rightRange.length)
    }
}

/// EXT-X-BYTERANGE: a part of a resource.
package struct ByteRange: Hashable, Sendable {
    /// Bytes from the resource's beginning.
    package var offset: Int64
    /// Bytes.
    package var length: Int64

    package init(offset: Int64, length: Int64) {
        self.offset = offset
        self.length = length
    }
}

/// The bytes that a segment's name stood for at one moment.
///
/// Different editions are an honest difference (packagers, A/B tests, per-viewer advertising): they are never mixed and
/// nobody is banned for them.
package struct Edition: Hashable, Sendable {
    /// Bytes of the whole segment, nil while unknown.
    package var length: Int64?
    /// A hash of the strong ETag, else of Last-Modified (RFC 9110 8.8); 0 when the source gave neither or it is unknown.
    package var validator: UInt64
    /// A hash of the last path part of the segment's resolved URI.
    package var name: UInt64

    package init(length: Int64?, validator: UInt64, name: UInt64) {
        self.length = length
        self.validator = validator
        self.name = name
    }

    /// Whether both can be the same bytes, as far as both know.
    package func agrees(with other: Edition) -> Bool {
        guard name == other.name else { return false }
        if let length, let otherLength = other.length, length != otherLength { return false }
        return validator == 0 || other.validator == 0 || validator == other.validator
    }
}
