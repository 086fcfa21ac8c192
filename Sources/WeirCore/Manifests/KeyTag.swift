/// EXT-X-KEY and EXT-X-SESSION-KEY (RFC 8216bis 4.4.4.4, 4.4.5.5).
struct KeyTag {
    let key: MediaKey
    /// The URI that weir may replace; nil when the tag stays as it is.
    let replaceable: AttributeList.Attribute?

    /// Nil for METHOD=NONE, and without a method.
    init?(_ list: AttributeList, in source: PlaylistSource) {
        guard let method = list.text("METHOD"), method != "NONE" else { return nil }
        let format = list.text("KEYFORMAT") ?? "identity"
        var replaceable: AttributeList.Attribute?
        var uri: PlaylistURI?
        if format == "identity", let attribute = list.uri, let found = PlaylistURI(attribute.value, in: source) {
            replaceable = attribute
            uri = found
        }
        self.replaceable = replaceable
        let vector = list.bytes("IV").flatMap { DecimalText.hexadecimal($0) }
        key = MediaKey(method: method, format: format, initialisationVector: vector, uri: uri)
    }
}
