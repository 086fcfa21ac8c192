import WeirCore

/// A session description as a tracker passes it on: a JSON string, quotes and all, whose meaning is the clients' affair.
package struct RawDescription: Hashable, Sendable {
    package let json: ArraySlice<UInt8>

    init(json: ArraySlice<UInt8>) { self.json = json }

    package init(quoting text: String) {
        var writer = JSONWriter(reserving: text.utf8.count + 64)
        writer.string(text)
        json = writer.bytes[...]
    }
}

/// Any message of the WebTorrent WebSocket protocol, with every member that some program sends. Members of the wrong
/// type make the whole message unreadable; unknown ones are passed over, and so is what weir itself adds, when it is not
/// as weir writes it.
package struct TrackerMessageJSON {
    var action: String?
    var event: String?
    /// One hash, or several in a scrape.
    var hash: [UInt8]?
    var hashes: [[UInt8]]?
    var peer: [UInt8]?
    var toPeer: [UInt8]?
    var wanted: Int?
    var isComplete = false
    var offers: [(id: [UInt8], description: RawDescription)] = []
    var offer: RawDescription?
    var answer: RawDescription?
    /// The meaning of `offer` or `answer`, where that is asked for.
    var description: String?
    var offerID: [UInt8]?
    var interval: Int?
    var complete: Int?
    var incomplete: Int?
    var failure: String?
    var warning: String?
    var addition = WeirAddition()

    /// The most that is read of one message: what field servers allow, too.
    package static let byteLimit = 64 * 1024
    /// Offers of one message; more are passed over. Clients send five.
    static let offerLimit = 64
    /// Hashes of one scrape; more make it unreadable.
    static let hashLimit = 1024
    /// Seconds.
    static let intervals = 1...86_400
    static let wantedLimit = 1000

    private let readsDescriptions: Bool

    /// - Parameter readsDescriptions: clients do, servers pass them on unread.
    /// - Returns: nil when the bytes are no such message.
    init?(_ bytes: [UInt8], readsDescriptions: Bool) {
        guard bytes.count <= TrackerMessageJSON.byteLimit else { return nil }
        self.readsDescriptions = readsDescriptions
        do throws(JSONScanner.Mismatch) {
            var scanner = try JSONScanner(bytes)
            try scanner.wholeObject { (scanner, name) throws(JSONScanner.Mismatch) in
                if try scanner.takesNull() { return }
                try read(name, &scanner)
            }
        } catch {
            return nil
        }
    }

    private mutating func read(_ name: JSONString, _ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) {
        func text(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) -> String {
            scanner.text(try scanner.string())
        }
        func bytes(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) -> [UInt8] {
            try scanner.byteString(try scanner.string())
        }
        let counts = 0...Int(Int32.max)
        if scanner.equals(name, "action") {
            action = try text(&scanner)
        } else if scanner.equals(name, "event") {
            event = try text(&scanner)
        } else if scanner.equals(name, "info_hash") {
            try readHashes(&scanner)
        } else if scanner.equals(name, "peer_id") {
            peer = try bytes(&scanner)
        } else if scanner.equals(name, "to_peer_id") {
            toPeer = try bytes(&scanner)
        } else if scanner.equals(name, "offer_id") {
            offerID = try bytes(&scanner)
        } else if scanner.equals(name, "numwant") {
            wanted = try scanner.integer(in: 0...TrackerMessageJSON.wantedLimit)
        } else if scanner.equals(name, "left") {
            isComplete = try scanner.integer(in: 0...Int64.max) == 0
        } else if scanner.equals(name, "offers") {
            try readOffers(&scanner)
        } else if scanner.equals(name, "offer") {
            offer = try readDescription(&scanner)
        } else if scanner.equals(name, "answer") {
            answer = try readDescription(&scanner)
        } else if scanner.equals(name, "interval") {
            interval = try scanner.integer(in: TrackerMessageJSON.intervals)
        } else if scanner.equals(name, "complete") {
            complete = try scanner.integer(in: counts)
        } else if scanner.equals(name, "incomplete") {
            incomplete = try scanner.integer(in: counts)
        } else if scanner.equals(name, "failure reason") {
            failure = try text(&scanner)
        } else if scanner.equals(name, "warning message") {
            warning = try text(&scanner)
        } else if scanner.equals(name, "weir") {
            addition = try WeirAddition.read(&scanner)
        } else {
            try scanner.skip()
        }
    }

    private mutating func readHashes(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) {
        guard try scanner.peek() == UInt8(ascii: "[") else {
            hash = try scanner.byteString(try scanner.string())
            return
        }
        var several: [[UInt8]] = []
        try scanner.array { (scanner) throws(JSONScanner.Mismatch) in
            guard several.count < TrackerMessageJSON.hashLimit else { throw JSONScanner.Mismatch() }
            several.append(try scanner.byteString(try scanner.string()))
        }
        hashes = several
    }

    private mutating func readOffers(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) {
        var found: [(id: [UInt8], description: RawDescription)] = []
        found.reserveCapacity(5)
        let readsDescriptions = readsDescriptions
        try scanner.array { (scanner) throws(JSONScanner.Mismatch) in
            var id: [UInt8]?
            var description: RawDescription?
            try scanner.object { (scanner, name) throws(JSONScanner.Mismatch) in
                if scanner.equals(name, "offer") {
                    description = try TrackerMessageJSON.description(&scanner, readsDescriptions).raw
                } else if scanner.equals(name, "offer_id") {
                    id = try scanner.byteString(try scanner.string())
                } else {
                    try scanner.skip()
                }
            }
            guard let id, let description else { throw JSONScanner.Mismatch() }
            if found.count < TrackerMessageJSON.offerLimit { found.append((id, description)) }
        }
        offers = found
    }

    private mutating func readDescription(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) -> RawDescription {
        let (raw, text) = try TrackerMessageJSON.description(&scanner, readsDescriptions)
        description = text
        return raw
    }

    /// `{"type":…,"sdp":…}`
    private static func description(
        _ scanner: inout JSONScanner,
        _ readsText: Bool
    ) throws(JSONScanner.Mismatch) -> (raw: RawDescription, text: String?) {
        var sdp: JSONString?
        try scanner.object { (scanner, name) throws(JSONScanner.Mismatch) in
            if scanner.equals(name, "sdp") {
                sdp = try scanner.string()
            } else if scanner.equals(name, "type") {
                if try !scanner.takesNull() { _ = try scanner.string() }
            } else {
                try scanner.skip()
            }
        }
        guard let sdp else { throw JSONScanner.Mismatch() }
        let quoted = scanner.bytes[sdp.text.lowerBound - 1..<sdp.text.upperBound + 1]
        return (RawDescription(json: quoted), readsText ? scanner.text(sdp) : nil)
    }
}
