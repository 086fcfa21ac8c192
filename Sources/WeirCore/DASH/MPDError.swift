/// Why an answer is no DASH manifest that weir can play. The description is one line, for the user.
package enum MPDError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Another XML document; the text names its root element.
    case notMPD(root: String)
    case malformed(line: Int, reason: String)
    /// Document type declarations bring entities: expansion bombs and files of this machine.
    case documentType
    case encoding(String)
    case tooLarge(limit: Int)
    case tooManyElements(limit: Int)
    case tooManyAttributes(limit: Int)
    case tooDeep(limit: Int)
    case tooManyRepresentations(limit: Int)
    /// A legal manifest that weir would break.
    case unsupported(String)
    /// Nothing in it can be played.
    case empty

    package var description: String {
        switch self {
        case .notMPD(let root): "not a DASH manifest: the document is a <\(root)>"
        case .malformed(let line, let reason): "malformed manifest, line \(line): \(reason)"
        case .documentType: "the manifest has a DOCTYPE, which weir refuses"
        case .encoding(let name): "the manifest's encoding \(name) is not supported: it must be UTF-8"
        case .tooLarge(let limit): "the manifest is larger than \(limit) bytes"
        case .tooManyElements(let limit): "the manifest has more than \(limit) elements"
        case .tooManyAttributes(let limit): "an element of the manifest has more than \(limit) attributes"
        case .tooDeep(let limit): "the manifest's elements are nested more than \(limit) deep"
        case .tooManyRepresentations(let limit): "the manifest has more than \(limit) representations"
        case .unsupported(let what): "the manifest uses \(what), which weir does not support yet: play its URL directly"
        case .empty: "the manifest has no period with representations"
        }
    }
}
