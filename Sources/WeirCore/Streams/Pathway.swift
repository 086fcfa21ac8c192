/// Where one rendition can be had. Of HLS the address of its playlist in one pathway (RFC 8216bis 7), or on one of
/// several servers that a multivariant playlist names for it without pathways; of DASH one of its base URLs.
struct Place: Hashable, Sendable {
    /// Of variants without PATHWAY-ID.
    static let defaultPathway = "."

    /// Or a BaseURL's `serviceLocation`.
    let pathway: String
    var url: WebURL
    /// STABLE-VARIANT-ID or STABLE-RENDITION-ID: what a clone may give addresses of their own to.
    var stableID: String?
    var isVariant = true
    /// It is a base URL, and what a clone's PARAMS add to the addresses under it.
    var isBase = false
    var parameters: [String: String] = [:]

    /// What fails together.
    var server: String { "\(pathway)|\(url.originKey)" }
}

/// What a steering server says (RFC 8216bis 7.2), as the shell read it from JSON.
package struct SteeringManifest: Sendable, Equatable {
    /// VERSION; others than 1 are not understood.
    package var version: Int
    /// TTL: when to ask again.
    package var lifetime: Duration
    /// RELOAD-URI, perhaps relative to the address that answered.
    package var reloadURI: String?
    /// PATHWAY-PRIORITY, best first.
    package var priority: [String]
    package var clones: [PathwayClone]

    /// When the server does not say.
    package static let usualLifetime = Duration.seconds(300)
    /// A steering manifest is small; more bytes are something else.
    package static let byteLimit = 64 * 1024

    package init(
        version: Int = 1,
        lifetime: Duration = usualLifetime,
        reloadURI: String? = nil,
        priority: [String],
        clones: [PathwayClone] = []
    ) {
        self.version = version
        self.lifetime = lifetime
        self.reloadURI = reloadURI
        self.priority = priority
        self.clones = clones
    }
}

/// A pathway made from another one by changing its addresses (PATHWAY-CLONES).
package struct PathwayClone: Sendable, Equatable {
    /// BASE-ID
    package var base: String
    package var id: String
    /// HOST, perhaps with a port.
    package var host: String?
    /// PARAMS
    package var parameters: [String: String]
    /// PER-VARIANT-URIS and PER-RENDITION-URIS, by STABLE-VARIANT-ID and STABLE-RENDITION-ID.
    package var variantURIs: [String: String]
    package var renditionURIs: [String: String]

    package init(
        base: String,
        id: String,
        host: String? = nil,
        parameters: [String: String] = [:],
        variantURIs: [String: String] = [:],
        renditionURIs: [String: String] = [:]
    ) {
        self.base = base
        self.id = id
        self.host = host
        self.parameters = parameters
        self.variantURIs = variantURIs
        self.renditionURIs = renditionURIs
    }

    /// Where the clone has what the base pathway has at that place; nil when the address would be none.
    func place(for base: Place) -> Place? {
        let own = base.stableID.flatMap { (base.isVariant ? variantURIs : renditionURIs)[$0] }
        if let own { return base.url.resolve(own).map { at($0, base) } }
        var url: WebURL? = base.url
        if let host { url = url?.replacing(authority: host) }
        guard !base.isBase else {
            return url.map {
                let all = base.parameters.merging(parameters) { $1 }
                return Place(pathway: id, url: $0, isBase: true, parameters: all)
            }
        }
        return url.map { at($0.settingQuery(parameters), base) }
    }

    private func at(_ url: WebURL, _ base: Place) -> Place {
        Place(pathway: id, url: url, stableID: base.stableID, isVariant: base.isVariant)
    }
}

/// Which pathway is used: what the steering server said last, and which servers failed here.
///
/// Life: without a server: as the playlist lists them. With one: `asked → answered → asked` after the TTL while somebody
/// plays, `asked → over` when it answers 410.
struct Steering {
    /// Nil when there is none, or it is over.
    var server: WebURL?
    /// Asked instead, and told the server's address (DASH's `proxyServerURL`).
    var proxy: WebURL?
    var answeredBy: WebURL?
    /// The manifest wants the server asked before anything is played: until when that is waited for.
    var awaitedUntil: Instant?
    var priority: [String] = []
    var clones: [PathwayClone] = []
    var lifetime = SteeringManifest.usualLifetime
    var fetch: FetchID?
    var received: [UInt8] = []
    var nextFetch: Instant?
    var isOver = false
    /// Servers that failed, until when they are passed over, and how often they did.
    private var penalties: [String: (until: Instant, count: Int)] = [:]

    /// Pairs of servers whose bytes are not mixed, and until when.
    private var apart: [String: Instant] = [:]
    private static let mostApart = 64

    /// A first failure costs a server a minute, further ones more.
    static let penalty = Duration.seconds(60)
    /// More clones than these are nobody's.
    static let mostClones = 16

    mutating func penalise(_ place: Place, at now: Instant) {
        let count = min(4, (penalties[place.server]?.count ?? 0) + 1)
        penalties[place.server] = (now + Steering.penalty * (1 << (count - 1)), count)
    }

    func isPenalised(_ place: Place, at now: Instant) -> Bool {
        penalties[place.server].map { $0.until > now } ?? false
    }

    mutating func keepApart(_ one: String, _ other: String, until end: Instant) {
        if apart.count >= Steering.mostApart { apart = [:] }
        apart["\(min(one, other))|\(max(one, other))"] = end
    }

    func isApart(_ one: String, _ other: String, at now: Instant) -> Bool {
        apart["\(min(one, other))|\(max(one, other))"].map { $0 > now } ?? false
    }

    /// The best pathway first, as the server or the manifest says.
    func ranked(_ places: [Place]) -> [Place] {
        places.enumerated().sorted { left, right in
            let (one, other) = (rank(left.element), rank(right.element))
            return one != other ? one < other : left.offset < right.offset
        }.map { $0.element }
    }

    /// The place to use: the best pathway that did not fail lately; when all did, the one that is forgiven first.
    func choice(among places: [Place], at now: Instant) -> Place? {
        let ranked = ranked(places)
        if let good = ranked.first(where: { !isPenalised($0, at: now) }) { return good }
        func end(_ place: Place) -> Instant { penalties[place.server]?.until ?? .start }
        return ranked.min { end($0) < end($1) }
    }

    private func rank(_ place: Place) -> Int { priority.firstIndex(of: place.pathway) ?? .max }

    /// The given places and what clones make of them.
    func withClones(_ places: [Place]) -> [Place] {
        var all = places
        for clone in clones.prefix(Steering.mostClones) where !all.contains(where: { $0.pathway == clone.id }) {
            all += all.filter { $0.pathway == clone.base }.compactMap { clone.place(for: $0) }
        }
        return all
    }
}

extension WebURL {
    /// The same path on another server; nil when the text names none.
    func replacing(authority: String) -> WebURL? {
        guard !authority.contains(where: { "/?#@".contains($0) }) else { return nil }
        let rest = query.map { "\(path)?\($0)" } ?? path
        return WebURL("\(scheme.rawValue)://\(authority)\(rest)")
    }

    /// With query parameters set, in the order of their names: replaced where they are, else added at the end.
    func settingQuery(_ parameters: [String: String]) -> WebURL {
        guard !parameters.isEmpty else { return self }
        var parts = (query ?? "").split(separator: "&").map { String($0) }
        for name in parameters.keys.sorted() {
            let encoded = PercentEncoding.encode(name)
            let part = "\(encoded)=\(PercentEncoding.encode(parameters[name] ?? ""))"
            if let place = parts.firstIndex(where: { $0 == encoded || $0.hasPrefix(encoded + "=") }) {
                parts[place] = part
            } else {
                parts.append(part)
            }
        }
        return WebURL(scheme: scheme, host: host, port: port, path: path, query: parts.joined(separator: "&"))
    }
}
