import Testing
import WeirCore

/// One thing in an XML document, as a scanner of the tests' own sees it.
private enum XMLItem: Equatable {
    case start(String, [String])
    case end(String)
    case other(String)

    /// Of documents that the tests wrote themselves.
    static func scan(_ text: String) -> [XMLItem] {
        var items: [XMLItem] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "<") {
            add(rest[..<open], to: &items)
            rest = rest[open...]
            for (begin, end) in [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")] where rest.hasPrefix(begin) {
                let close = rest.firstRange(of: end)!.upperBound
                items.append(.other(String(rest[..<close])))
                rest = rest[close...]
            }
            guard rest.hasPrefix("<"), !rest.hasPrefix("<!"), !rest.hasPrefix("<?") else { continue }
            let close = rest.firstIndex(of: ">")!
            addTag(rest[rest.index(after: rest.startIndex)..<close], to: &items)
            rest = rest[rest.index(after: close)...]
        }
        add(rest, to: &items)
        return items
    }

    private static func add(_ text: Substring, to items: inout [XMLItem]) {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        if !words.isEmpty { items.append(.other(words)) }
    }

    private static func addTag(_ tag: Substring, to items: inout [XMLItem]) {
        if tag.hasPrefix("/") { return items.append(.end(String(tag.dropFirst()))) }
        let isEmpty = tag.hasSuffix("/")
        let body = isEmpty ? tag.dropLast() : tag
        let name = String(body.prefix { !$0.isWhitespace })
        var attributes: [String] = []
        var rest = body.dropFirst(name.count)
        while let quote = rest.firstIndex(where: { $0 == "\"" || $0 == "'" }) {
            let close = rest[rest.index(after: quote)...].firstIndex(of: rest[quote])!
            attributes.append(rest[...close].split(whereSeparator: \.isWhitespace).joined(separator: " "))
            rest = rest[rest.index(after: close)...]
        }
        items.append(.start(name, attributes))
        if isEmpty { items.append(.end(name)) }
    }
}

/// Writes random manifests in which what weir owns is mixed with what it does not know.
private struct MPDWriter {
    var random: PlaylistRandom
    private(set) var text = ""
    private let prefix: String

    init(seed: UInt64) {
        random = PlaylistRandom(seed: seed)
        prefix = random.chance(20) ? "d:" : ""
        write()
    }

    private mutating func write() {
        let declaration = prefix.isEmpty ? "xmlns" : "xmlns:d"
        let isDynamic = random.chance(40)
        text = random.chance(50) ? "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n" : ""
        text += "<\(prefix)MPD \(declaration)=\"urn:mpeg:dash:schema:mpd:2011\" xmlns:own='urn:own'"
        if isDynamic {
            text += " type='dynamic' availabilityStartTime='2026-01-01T00:00:00Z' minimumUpdatePeriod='PT2S'"
        } else {
            text += " type=\"static\" mediaPresentationDuration='PT40S'"
        }
        text += ">"
        noise()
        bases()
        if random.chance(30) { element("Location", inside: "other.mpd") }
        for period in 0..<Int.random(in: 1...2, using: &random) {
            open("Period", period == 1 || random.chance(50) ? " start='PT\(period * 20)S' id='\(period)'" : "")
            bases()
            for set in 0..<Int.random(in: 1...3, using: &random) { writeSet(set) }
            close("Period")
        }
        noise()
        close("MPD")
    }

    private mutating func writeSet(_ set: Int) {
        open("AdaptationSet", random.chance(50) ? " id='\(set)' mimeType='video/mp4'" : " own:kind=\"a\"")
        bases()
        let isShared = random.chance(50)
        let kind = Int.random(in: 0...3, using: &random)
        if isShared { segments(kind) }
        noise()
        for representation in 0..<Int.random(in: 1...3, using: &random) {
            let attributes = " bandwidth='\(representation + 1)000' id=\"r\(representation)&amp;\""
            let isEmpty = isShared && random.chance(40)
            if isEmpty {
                element("Representation", attributes, inside: nil)
                continue
            }
            open("Representation", attributes)
            bases()
            if !isShared { segments(kind) }
            close("Representation")
        }
        close("AdaptationSet")
    }

    private mutating func segments(_ kind: Int) {
        let offset = random.chance(30) ? " availabilityTimeOffset='1.5'" : ""
        switch kind {
        case 0:
            let width = random.chance(50) ? "%04d" : ""
            let media = "media='$RepresentationID$/$Number\(width)$.m4s?t=1&amp;u=2' initialization=\"$Bandwidth$.mp4\""
            element(
                "SegmentTemplate",
                " duration='4' startNumber=\"\(Int.random(in: 0...9, using: &random))\" \(media)\(offset)",
                inside: nil
            )
        case 1, 2:
            let media = kind == 1 ? "$Time$" : "$Number$"
            open("SegmentTemplate", " timescale='10' media=\"/abs/\(media).mp4\"\(offset)")
            open("SegmentTimeline", "")
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let repeats = random.chance(50) ? " r='\(Int.random(in: 0...5, using: &random))'" : ""
                element("S", " d='\(Int.random(in: 10...40, using: &random))'\(repeats)", inside: nil)
                noise()
            }
            close("SegmentTimeline")
            close("SegmentTemplate")
        default:
            open("SegmentList", " duration='4'")
            element("Initialization", " range='0-9'", inside: nil)
            for place in 0..<Int.random(in: 1...5, using: &random) {
                let media =
                    random.chance(50) ? " media=\"u\(place).m4s\"" : " mediaRange='\(place * 100)-\(place * 100 + 99)'"
                element("SegmentURL", media, inside: random.chance(50) ? "" : nil)
            }
            close("SegmentList")
        }
    }

    private mutating func bases() {
        guard random.chance(30) else { return }
        let base = ["media/", "https://cdn.example.org/x/", "../up/", "/root/"].randomElement(using: &random)!
        element("BaseURL", random.chance(30) ? " serviceLocation='a'" : "", inside: base)
    }

    private mutating func open(_ name: String, _ attributes: String) {
        text += "<\(prefix)\(name)\(attributes)>"
        noise()
    }

    private mutating func close(_ name: String) {
        noise()
        text += "</\(prefix)\(name)>"
    }

    private mutating func element(_ name: String, _ attributes: String = "", inside: String?) {
        text += "<\(prefix)\(name)\(attributes)"
        text += inside.map { ">\($0)</\(prefix)\(name)>" } ?? "/>"
    }

    private mutating func noise() {
        guard random.chance(25) else { return }
        text += [
            "\n  ", "<!-- <S d='1'/> -->", "<own:BaseURL>x</own:BaseURL>",
            "<own:Deep a='1'><own:S/>t<own:T>u</own:T></own:Deep>",
            "<\(prefix)Role value='a &quot;b'/>", "<\(prefix)Unknown/>", "<?pi a='b'?>",
        ].randomElement(using: &random)!
    }
}

@Suite struct MPDPropertyTests {
    /// What weir owns of an element.
    private static let ownedElements: Set<String> = ["BaseURL", "Location", "PatchLocation", "ContentSteering"]
    private static let ownedAttributes: Set<String> = [
        "media", "initialization", "mediaRange", "range", "sourceURL", "index", "indexRange", "bitstreamSwitching",
    ]

    @Test("Rewriting loses and reorders nothing that it does not own", arguments: UInt64(1)...60)
    func keepsAll(seed: UInt64) throws {
        let written = MPDWriter(seed: seed).text
        let local = MPDFixture.local(try parseMPD(written))
        #expect(kept(local) == kept(written), "seed \(seed)")
    }

    @Test("What was rewritten means the same segments at local addresses", arguments: UInt64(1)...60)
    func meansTheSame(seed: UInt64) throws {
        let written = MPDWriter(seed: seed).text
        let mpd = try parseMPD(written)
        let again = try MPD.parse(Array(MPDFixture.local(mpd).utf8), url: MPDFixture.localURL, limits: Limits())
        #expect(again.representations.map(\.key) == mpd.representations.map(\.key), "seed \(seed)")
        for (local, original) in zip(again.representations, mpd.representations) {
            #expect(local.names == original.names, "seed \(seed)")
            #expect(local.segments.map(\.span) == original.segments.map(\.span))
            #expect(local.segments.map(\.duration) == original.segments.map(\.duration))
            #expect(local.availabilityOffset == original.availabilityOffset)
            #expect(local.isOpenEnded == original.isOpenEnded)
            let folder = "/s/abc/\(original.key.padded)"
            #expect(local.segments.map(\.url.path) == original.names.map { "\(folder)/\($0).\(original.suffix)" })
            #expect(local.initialisation?.url.path == original.initialisation.map { _ in "\(folder)/init.mp4" })
            #expect(local.segments.allSatisfy { $0.range == nil })
        }
    }

    @Test("Damaged manifests are refused or rewritten, never more", arguments: UInt64(1)...20)
    func damaged(seed: UInt64) {
        var random = PlaylistRandom(seed: seed)
        let bytes = Array(MPDWriter(seed: seed).text.utf8)
        for _ in 0..<20 {
            var broken = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<broken.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: broken[place] = UInt8.random(in: 0...255, using: &random)
                case 1: broken.remove(at: place)
                default: broken.insert("<>&\"'/=-$%".random(&random), at: place)
                }
            }
            guard let mpd = try? MPD.parse(broken, url: MPDFixture.url, limits: Limits()) else { continue }
            let local = MPDFixture.local(mpd)
            _ = try? MPD.parse(Array(local.utf8), url: MPDFixture.localURL, limits: Limits())
        }
    }

    private func kept(_ text: String) -> [XMLItem] {
        var items: [XMLItem] = []
        var left = 0
        for item in XMLItem.scan(text) {
            switch item {
            case .start(let name, let attributes):
                let own = name.split(separator: ":").last.map { String($0) } ?? name
                let isOwned = !name.hasPrefix("own:") && MPDPropertyTests.ownedElements.contains(own)
                if left > 0 || isOwned { left += 1 }
                guard left == 0 else { continue }
                let rest = attributes.filter { attribute in
                    let attributeName = String(
                        attribute.drop { $0.isWhitespace }.prefix { $0 != "=" && !$0.isWhitespace }
                    )
                    return !MPDPropertyTests.ownedAttributes.contains(attributeName)
                }
                items.append(.start(name, rest))
            case .end:
                if left > 0 { left -= 1 } else { items.append(item) }
            case .other:
                if left == 0 { items.append(item) }
            }
        }
        return items
    }
}

extension String {
    fileprivate func random(_ random: inout PlaylistRandom) -> UInt8 {
        Array(utf8).randomElement(using: &random)!
    }
}
