/// Why a patch was not applied: whatever it is, the whole manifest is asked instead.
package enum MPDPatchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Not well-formed, no patch, or beyond a limit.
    case unreadable(MPDError)
    case notPatch(root: String)
    /// It is for another manifest, or for another version of this one.
    case otherVersion
    /// An operation that weir does not know.
    case operation(String)
    /// A selector that weir does not know, or that does not lead to exactly one place.
    case selector(String)
    /// Names or bytes would mean something else where they would go.
    case namespace
    case tooLarge
    /// What came out is no manifest, or not the one that was announced.
    case result

    package var description: String {
        switch self {
        case .unreadable(let error): "the patch cannot be read: \(error)"
        case .notPatch(let root): "the document is a <\(root)>, no patch"
        case .otherVersion: "the patch is for another manifest or version"
        case .operation(let name): "the operation \(name) cannot be carried out"
        case .selector(let text): "the selector \(text.prefix(120)) does not lead to one place"
        case .namespace: "the patch's names or encoding cannot be taken over as they are"
        case .tooLarge: "the patch has too many operations or goes through too many elements"
        case .result: "the patched manifest is not what the patch announced"
        }
    }
}

/// A document that says what to change in a manifest to get a newer one (ISO/IEC 23009-1, 5.15).
package struct MPDPatch: Sendable {
    /// How long after the version that it applies to a patch can be had, and where.
    package struct Offer: Hashable, Sendable {
        package let url: WebURL
        /// Nil: as long as nothing else is said.
        package let lifetime: Duration?

        /// Nil when the manifest offers none that can be checked against it.
        init?(_ root: MPDElement, from manifest: WebURL) {
            guard root["type"] == "dynamic", root["id"] != nil, root["publishTime"] != nil,
                let element = root.first("PatchLocation"), let url = manifest.resolve(element.text.trimmed)
            else { return nil }
            self.url = url
            lifetime = element["ttl"].flatMap { DecimalText.duration(Array($0.utf8)[...]) }
        }
    }

    static let namespace = "urn:mpeg:dash:schema:mpd-patch:2020"

    /// The document of the newer version: byte for byte the older one outside of what the patch names.
    package static func apply(_ patch: [UInt8], to mpd: MPD, limits: Limits) throws(MPDPatchError) -> [UInt8] {
        var visitor = PatchVisitor()
        do throws(MPDError) {
            try XMLReading.read(patch, limits: limits, into: &visitor)
        } catch {
            throw .unreadable(error)
        }
        guard visitor.namespace == MPDPatch.namespace, visitor.name == "Patch" else {
            throw .notPatch(root: String(visitor.name.prefix(40)))
        }
        func said(_ name: String) -> String? { visitor.attributes.first { $0.name == name }?.value }
        guard let id = mpd.root["id"], said("mpdId") == id, let version = mpd.root["publishTime"],
            said("originalPublishTime") == version, let next = said("publishTime")
        else { throw .otherVersion }
        guard haveOneEncoding(patch, mpd.bytes) else { throw .namespace }
        guard visitor.operations.count <= limits.patchOperations else { throw .tooLarge }
        var document = try PatchedDocument(mpd.bytes, limits: limits)
        let content = try document.contents(of: patch)
        guard content.count == visitor.operations.count else { throw .operation("?") }
        for (operation, content) in zip(visitor.operations, content) { try document.carryOut(operation, content) }
        guard document.publishTime == next else { throw .result }
        return document.bytes
    }

    /// Bytes of one document are put into the other.
    private static func haveOneEncoding(_ patch: [UInt8], _ manifest: [UInt8]) -> Bool {
        func isLatin(_ bytes: [UInt8]) -> Bool { bytes.prefix(256)[...].text.contains("8859") }
        return patch.allSatisfy { $0 < 0x80 } || !isLatin(patch) && !isLatin(manifest)
    }
}

/// One `add`, `replace` or `remove`.
struct PatchOperation {
    let name: String
    let attributes: [XMLAttribute]
    /// Character data directly in it.
    var text = ""

    subscript(attribute: String) -> String? { attributes.first { $0.name == attribute }?.value }
}

private struct PatchVisitor: XMLVisitor {
    private(set) var name = ""
    private(set) var namespace = ""
    private(set) var attributes: [XMLAttribute] = []
    private(set) var operations: [PatchOperation] = []
    private var depth = 0

    mutating func start(_ element: XMLElement) {
        defer { depth += 1 }
        if depth == 0 { (name, namespace, attributes) = (element.name, element.namespace, element.attributes) }
        guard depth == 1 else { return }
        // One of another namespace is no operation, and will be refused as such.
        let name = element.namespace == namespace ? element.name : "\(element.prefix):\(element.name)"
        operations.append(PatchOperation(name: name, attributes: element.attributes))
    }

    mutating func text(_ text: String) {
        if depth == 2 { operations[operations.count - 1].text += text }
    }

    mutating func end() { depth -= 1 }
}
