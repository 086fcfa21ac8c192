internal import FoundationEssentials
import WeirCore

/// A steering manifest as servers write it (RFC 8216bis 7.2, ETSI TS 103 998 for DASH). Unknown members are passed over; a member of the wrong
/// type makes the whole unreadable.
struct SteeringManifestJSON: Decodable {
    private struct Clone: Decodable {
        struct Replacement: Decodable {
            var host: String?
            var parameters: [String: String]?
            var variantURIs: [String: String]?
            var renditionURIs: [String: String]?

            enum CodingKeys: String, CodingKey {
                case host = "HOST"
                case parameters = "PARAMS"
                case variantURIs = "PER-VARIANT-URIS"
                case renditionURIs = "PER-RENDITION-URIS"
            }
        }

        var base: String
        var id: String
        var replacement: Replacement

        enum CodingKeys: String, CodingKey {
            case base = "BASE-ID"
            case id = "ID"
            case replacement = "URI-REPLACEMENT"
        }
    }

    private var version: Int
    private var lifetime: Double?
    private var reloadURI: String?
    private var priority: [String]?
    /// What earlier drafts for DASH called it.
    private var locations: [String]?
    private var clones: [Clone]?

    private enum CodingKeys: String, CodingKey {
        case version = "VERSION"
        case lifetime = "TTL"
        case reloadURI = "RELOAD-URI"
        case priority = "PATHWAY-PRIORITY"
        case locations = "SERVICE-LOCATION-PRIORITY"
        case clones = "PATHWAY-CLONES"
    }

    /// - Returns: nil when the bytes are no steering manifest.
    static func read(_ bytes: [UInt8]) -> SteeringManifest? {
        guard bytes.count <= SteeringManifest.byteLimit,
            let read = try? JSONDecoder().decode(SteeringManifestJSON.self, from: Data(bytes)),
            let priority = read.priority ?? read.locations
        else { return nil }
        let usual = Int(SteeringManifest.usualLifetime.seconds)
        return SteeringManifest(
            version: read.version,
            lifetime: .seconds(Int(json: read.lifetime, default: usual, in: 0...86_400)),
            reloadURI: read.reloadURI,
            priority: priority,
            clones: (read.clones ?? []).map { clone in
                PathwayClone(
                    base: clone.base,
                    id: clone.id,
                    host: clone.replacement.host,
                    parameters: clone.replacement.parameters ?? [:],
                    variantURIs: clone.replacement.variantURIs ?? [:],
                    renditionURIs: clone.replacement.renditionURIs ?? [:]
                )
            }
        )
    }
}

extension Int {
    /// A number of JSON within bounds; what is not there, not finite or beyond them goes to the nearest bound.
    fileprivate init(json value: Double?, default fallback: Int, in bounds: ClosedRange<Int>) {
        guard let value, !value.isNaN else {
            self = fallback
            return
        }
        self = Int(Swift.min(Swift.max(value, Double(bounds.lowerBound)), Double(bounds.upperBound)))
    }
}
