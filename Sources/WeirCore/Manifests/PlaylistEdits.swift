/// A resource that a playlist refers to and weir owns, by its index in the playlist's lists.
package enum HLSReference: Hashable, Sendable {
    case variant(Int)
    case rendition(Int)
    case iFrameStream(Int)
    case imageStream(Int)
    case sessionKey(Int)
    case sessionData(Int)
    case segment(Int)
    case map(Int)
    case key(Int)
    /// Index in `lowLatency.parts`.
    case part(Int)
    case hint
    /// The initialisation section that is hinted.
    case mapHint
    /// Index of an EXT-X-RENDITION-REPORT.
    case report(Int)
}

/// What rewriting changes in a playlist; every byte outside of these spans is kept.
struct PlaylistEdits: Sendable {
    enum Change: Sendable {
        /// Goes whatever happens: low latency tags that weir cannot serve, and steering, which is weir's business.
        case drop
        /// A URI; `needsQuotes` when it stands bare in an attribute that should be a quoted string.
        case address(HLSReference, needsQuotes: Bool)
        /// A byte range that goes when its owner got a local address, because that address serves just this range.
        case consume(HLSReference)
        /// Reads differently whatever happens.
        case replace([UInt8])
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

    /// A variable that is imported, or taken from a query, gets its value written down: the player may read this list
    /// alone, and by an address of ours. What weir does not own may still refer to it.
    mutating func define(_ list: AttributeList, in source: PlaylistSource) {
        guard let (span, text) = source.variables.replacement(for: list) else { return }
        add(span, .replace(text))
    }

    /// A URI that weir owns must not refer to what nothing defines: the request would carry the reference itself.
    func checkVariables(in source: PlaylistSource) throws(PlaylistError) {
        guard source.variables.isUsed else { return }
        for edit in edits {
            guard case .address = edit.change else { continue }
            guard let name = source.variables.undefinedName(in: source.slice(edit.span)) else { continue }
            let line = source.bytes[..<Int(edit.span.start)].count { $0 == ASCII.lineFeed } + 1
            throw .malformed(line: line, reason: "the variable \"\(name.prefix(40))\" is not defined")
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
            case .replace(let text):
                result += text
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

    /// The absolute form of a relative URI; nil when it is absolute already and can stay byte for byte. One that has a
    /// variable in it is written out: players exist that know none.
    private static func absolute(_ span: ByteSpan, in source: PlaylistSource) -> String? {
        let text = source.slice(span)
        let isWrittenOut = source.variables.substituted(text) == text
        guard !isWrittenOut || WebURL.schemeEnd(text) == nil else { return nil }
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
