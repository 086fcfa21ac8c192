/// A part of a playlist's bytes. Four-byte offsets: a playlist of a day has tens of thousands of them.
struct ByteSpan: Hashable, Sendable {
    let start: Int32
    let end: Int32

    init(_ start: Int, _ end: Int) {
        self.start = Int32(clamping: start)
        self.end = Int32(clamping: end)
    }

    init(_ slice: ArraySlice<UInt8>) {
        self.init(slice.startIndex, slice.endIndex)
    }
}

/// The bytes of a playlist as they came, and where they came from. What was parsed out of them refers back here, so
/// that a long list costs little more than its own bytes.
final class PlaylistSource: Sendable {
    let bytes: [UInt8]
    /// After redirects: the base of relative URIs.
    let url: WebURL
    let variables: PlaylistVariables

    init(bytes: [UInt8], url: WebURL, variables: PlaylistVariables = PlaylistVariables()) {
        self.bytes = bytes
        self.url = url
        self.variables = variables
    }

    func slice(_ span: ByteSpan) -> ArraySlice<UInt8> { bytes[Int(span.start)..<Int(span.end)] }
    func resolve(_ span: ByteSpan) -> WebURL? { url.resolve(variables.substituted(slice(span))) }
    /// Whether `resolve` gives a URL.
    func resolves(_ span: ByteSpan) -> Bool { url.resolves(variables.substituted(slice(span))) }
    /// However the two are written.
    func isSameResource(_ one: ByteSpan, _ other: ByteSpan) -> Bool {
        if slice(one) == slice(other) { return true }
        guard let url = resolve(one) else { return false }
        return url == resolve(other)
    }
    func text(_ span: ByteSpan) -> String { slice(span).text }
}

/// A URI in a playlist that was found to resolve when the playlist was parsed.
struct PlaylistURI: Sendable {
    let source: PlaylistSource
    let span: ByteSpan

    /// Nil when weir cannot fetch what the URI names.
    init?(_ span: ByteSpan, in source: PlaylistSource) {
        guard source.resolves(span) else { return nil }
        self.source = source
        self.span = span
    }

    var url: WebURL {
        guard let url = source.resolve(span) else { preconditionFailure("the URI resolved when it was parsed") }
        return url
    }
}
