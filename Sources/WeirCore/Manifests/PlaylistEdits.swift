/// A resource that a playlist refers to and weir owns, by its index in the playlist's lists.
package enum HLSReference: Hashable, Sendable {
    case variant(Int)
    case rendition(Int)
    case iFrameStream(Int)
    case sessionKey(Int)
    case sessionData(Int)
    case segment(Int)
    case map(Int)
    case key(Int)
}

/// What rewriting changes in a playlist; every byte outside of these spans is kept.
struct PlaylistEdits: Sendable {
    enum Change: Sendable {
        /// Goes whatever happens: the low latency tags.
        case drop
        /// A URI; `needsQuotes` when it stands bare in an attribute that should be a quoted string.
        case address(HLSReference, needsQuotes: Bool)
        /// A byte range that goes when its owner got a local address, because that address serves just this range.
        case consume(HLSReference)
    }

    struct Edit: Sendable {
        let span: ByteSpan
        let change: Change
    }

    private var edits: [Edit] = []

    mutating func add(_ span: ByteSpan, _ change: Change) {
        edits.append(Edit(span: span, change: change))
    }

    mutating func addURI(_ attribute: AttributeList.Attribute, _ reference: HLSReference) {
        add(attribute.value, .address(reference, needsQuotes: !attribute.isQuoted))
    }

    /// Puts the edits in the order of their bytes: a tag between a segment's range and its URI was found before both.
    mutating func finish() {
        edits.sort { $0.span.start < $1.span.start }
    }

    /// Whether a URI that weir owns has a variable in it (EXT-X-DEFINE, RFC 8216bis 4.3).
    func useVariables(in source: PlaylistSource) -> Bool {
        edits.contains { edit in
            guard case .address = edit.change else { return false }
            let uri = source.slice(edit.span)
            return zip(uri, uri.dropFirst()).contains { $0 == 0x7B && $1 == 0x24 }
        }
    }

    func apply(to source: PlaylistSource, _ local: (HLSReference) -> String?) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(source.bytes.count)
        var answers = Answers()
        var index = 0
        for edit in edits {
            let start = Int(edit.span.start)
            // Spans do not overlap; should they ever, the first wins.
            guard start >= index else { continue }
            result += source.bytes[index..<start]
            index = Int(edit.span.end)
            switch edit.change {
            case .drop:
                break
            case .consume(let owner):
                if answers.answer(owner, local) == nil { result += source.bytes[start..<index] }
            case .address(let owner, let needsQuotes):
                let address = answers.answer(owner, local) ?? PlaylistEdits.absolute(edit.span, in: source)
                guard let address else {
                    result += source.bytes[start..<index]
                    break
                }
                result += needsQuotes ? Array("\"\(address)\"".utf8) : Array(address.utf8)
            }
        }
        result += source.bytes[index...]
        return result
    }

    /// The absolute form of a relative URI; nil when it is absolute already and can stay byte for byte.
    private static func absolute(_ span: ByteSpan, in source: PlaylistSource) -> String? {
        guard WebURL.schemeEnd(source.slice(span)) == nil else { return nil }
        return source.resolve(span)?.description
    }

    /// Asks the closure once for each resource: its range may stand before or behind its URI, and another tag between.
    private struct Answers {
        private var segment: (HLSReference, String?)?
        private var other: (HLSReference, String?)?

        mutating func answer(_ reference: HLSReference, _ local: (HLSReference) -> String?) -> String? {
            guard case .segment = reference else {
                if let other, other.0 == reference { return other.1 }
                let answer = local(reference)
                other = (reference, answer)
                return answer
            }
            if let segment, segment.0 == reference { return segment.1 }
            let answer = local(reference)
            segment = (reference, answer)
            return answer
        }
    }
}
