import FoundationEssentials
import WeirCore

/// Where a redirect leads, or why it is not followed.
enum RedirectDecision: Equatable {
    case follow(String)
    /// The text names the rule.
    case refuse(String)
}

/// Decides about one redirect.
///
/// - Parameters:
///   - location: the `Location` field as sent; may be relative (RFC 9110 10.2.2).
///   - visited: every URL of this fetch so far, the first is the one that the core asked for.
func followRedirect(to location: String, visited: [String], maximum: Int) -> RedirectDecision {
    guard let first = visited.first, let current = visited.last, let base = URL(string: current) else {
        return .refuse("no URL to resolve against")
    }
    guard visited.count <= maximum else { return .refuse("more than \(maximum) redirects") }
    guard let target = URL(string: location, relativeTo: base)?.absoluteURL, let host = target.host, !host.isEmpty,
        let scheme = target.scheme?.lowercased()
    else { return .refuse("Location is no URL") }
    guard scheme == "http" || scheme == "https" else { return .refuse("to the scheme \(scheme)") }
    if base.scheme?.lowercased() == "https", scheme == "http" { return .refuse("from https to http") }
    var text = target.absoluteString
    if let fragment = text.firstIndex(of: "#") { text = String(text[..<fragment]) }
    if visited.contains(text) { return .refuse("in a loop") }
    let origin = AddressScope(host: URL(string: first)?.host ?? "")
    if AddressScope(host: host) < origin { return .refuse("to an address of narrower scope than the origin's") }
    return .follow(text)
}
