/// Which redirects are followed (RFC 9110 15.4): one value per exchange, asked for every redirect and every resolved
/// address.
///
/// A chain may never get to a narrower scope than the widest host it went through, so that no public server reaches
/// into a home network, nor fall from https to http.
package struct RedirectRule: Sendable {
    package enum Decision: Hashable, Sendable {
        case follow(WebURL)
        /// The text says why, for logs and for the player's 502.
        case refuse(String)
    }

    /// More than five in a row is a loop in all but name.
    package static let maximumRedirects = 5
    package static let statuses: Set<Int> = [301, 302, 303, 307, 308]

    private var current: WebURL
    private var visited: Set<WebURL>
    /// The scope of what the chain went through so far; an unresolved name counts as public.
    private var scope: NetworkScope
    private var redirects = 0

    /// - Parameter address: what the URL's host was resolved to, if the caller knows. Without it a name counts as
    ///   public, and cannot redirect into a private network.
    package init(origin: WebURL, address: String? = nil) {
        current = origin
        visited = [origin]
        scope = NetworkScope(host: address ?? origin.host)
    }

    /// What to do with a redirect.
    /// - Parameter location: the `Location` field, nil when there is none.
    package mutating func follow(status: Int, location: String?) -> Decision {
        guard RedirectRule.statuses.contains(status) else { return .refuse("status \(status) is no redirect") }
        guard let location else { return .refuse("a redirect without a Location") }
        guard redirects < RedirectRule.maximumRedirects else {
            return .refuse("more than \(RedirectRule.maximumRedirects) redirects")
        }
        guard let target = current.resolve(location) else {
            return .refuse("a redirect to something that is no http URL")
        }
        guard current.scheme == .http || target.scheme == .https else {
            return .refuse("a redirect from https to http")
        }
        if let refusal = refusal(of: NetworkScope(host: target.host)) { return .refuse(refusal) }
        guard visited.insert(target).inserted else { return .refuse("a redirect loop") }
        redirects += 1
        current = target
        widen(to: NetworkScope(host: target.host))
        return .follow(target)
    }

    /// Asks again when the host of the URL being followed has been resolved.
    /// - Parameter address: the literal address that will be connected to.
    /// - Returns: why it may not be, or nil.
    package mutating func refusal(resolved address: String) -> String? {
        let resolved = NetworkScope(host: address)
        if redirects == 0 {
            // The origin itself: the user named it, wherever it is.
            scope = resolved
            return nil
        }
        if let refusal = refusal(of: resolved) { return refusal }
        widen(to: resolved)
        return nil
    }

    private func refusal(of target: NetworkScope) -> String? {
        scope.mayName(target) ? nil : "a redirect from \(scope.noun) to \(target.noun)"
    }

    private mutating func widen(to other: NetworkScope) {
        // A name says nothing until it is resolved; `refusal(resolved:)` then widens.
        if other != .name, other.width > scope.width { scope = other }
    }
}
