internal import FoundationEssentials

/// Any message of the WebTorrent WebSocket protocol, with every member that some program sends. Members of the wrong
/// type make the whole message unreadable; unknown ones are passed over.
struct TrackerMessageJSON: Decodable {
    struct Description: Decodable {
        var type: String?
        var sdp: String
    }

    struct Offer: Decodable {
        var offer: Description
        var offerID: ByteString

        enum CodingKeys: String, CodingKey {
            case offer
            case offerID = "offer_id"
        }
    }

    /// A string of characters U+0000 to U+00FF that stand for bytes.
    struct ByteString: Decodable {
        var bytes: [UInt8]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            guard let bytes = ByteString.bytes(of: try container.decode(String.self)) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "a character above U+00FF")
            }
            self.bytes = bytes
        }

        /// By scalars: as characters, CR LF would be one and equivalent sequences equal.
        static func bytes(of text: String) -> [UInt8]? {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(20)
            for scalar in text.unicodeScalars {
                guard let byte = UInt8(exactly: scalar.value) else { return nil }
                bytes.append(byte)
            }
            return bytes
        }
    }

    /// One hash, or several in a scrape.
    enum Hashes: Decodable {
        case one([UInt8])
        case several([[UInt8]])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let one = try? container.decode(ByteString.self) {
                self = .one(one.bytes)
            } else {
                self = .several(try container.decode([ByteString].self).map(\.bytes))
            }
        }
    }

    var action: String?
    var event: String?
    var hashes: Hashes?
    var peer: ByteString?
    var toPeer: ByteString?
    var wanted: Double?
    var left: Double?
    var offers: [Offer]?
    var offer: Description?
    var answer: Description?
    var offerID: ByteString?
    var interval: Double?
    var complete: Double?
    var incomplete: Double?
    var failure: String?
    var warning: String?

    enum CodingKeys: String, CodingKey {
        case action, event, left, offers, offer, answer, interval, complete, incomplete
        case hashes = "info_hash"
        case peer = "peer_id"
        case toPeer = "to_peer_id"
        case wanted = "numwant"
        case offerID = "offer_id"
        case failure = "failure reason"
        case warning = "warning message"
    }

    /// The most that is read of one message: what field servers allow, too.
    static let byteLimit = 64 * 1024

    /// - Returns: nil when the bytes are no such message.
    static func decode(_ bytes: some Sequence<UInt8>, with decoder: JSONDecoder) -> TrackerMessageJSON? {
        try? decoder.decode(TrackerMessageJSON.self, from: Data(bytes))
    }

    /// The one hash that the message is about.
    var hash: [UInt8]? {
        if case .one(let bytes)? = hashes { bytes } else { nil }
    }
}

extension Int {
    /// A number of JSON within bounds; what is not there, not finite or beyond them goes to the nearest bound.
    init(json value: Double?, default fallback: Int, in bounds: ClosedRange<Int>) {
        guard let value, !value.isNaN else {
            self = fallback
            return
        }
        self = Int(Swift.min(Swift.max(value, Double(bounds.lowerBound)), Double(bounds.upperBound)))
    }
}
