/// A manifest's document while a patch is applied to it.
struct PatchedDocument {
    private let limits: Limits
    private var pieces: [PatchedElement.Piece]
    private let root: PatchedElement
    /// Elements that selectors were compared with.
    private var visited = 0

    /// - Parameter bytes: a document that was read before.
    init(_ bytes: [UInt8], limits: Limits) throws(MPDPatchError) {
        guard let pieces = PatchedElement.pieces(of: bytes, in: 0..<bytes.count) else { throw .result }
        guard let root = PatchedDocument.root(of: pieces), !root.name.contains(0x3A) else { throw .namespace }
        self.limits = limits
        self.pieces = pieces
        self.root = root
    }

    var bytes: [UInt8] {
        var result: [UInt8] = []
        for piece in pieces { piece.write(to: &result) }
        return result
    }

    var publishTime: String? { root.rawAttribute("publishTime")?.text }

    private static func root(of pieces: [PatchedElement.Piece]) -> PatchedElement? {
        for case .element(let element) in pieces { return element }
        return nil
    }

    /// What stands in each operation of a patch, as written; names in it must mean here what they mean there.
    func contents(of patch: [UInt8]) throws(MPDPatchError) -> [PatchedElement] {
        guard let pieces = PatchedElement.pieces(of: patch, in: 0..<patch.count),
            let other = PatchedDocument.root(of: pieces)
        else { throw .namespace }
        let operations = other.children.map(\.element)
        for operation in operations {
            for prefix in operation.children.reduce(into: Set<String>(), { $0.formUnion($1.element.prefixes) }) {
                guard prefix != "xml", prefix != "xmlns" else { continue }
                let name = "xmlns:\(prefix)"
                guard let here = root.rawAttribute(name), let there = other.rawAttribute(name),
                    here.elementsEqual(there)
                else { throw .namespace }
            }
        }
        return operations
    }

    // MARK: Operations

    /// An element and where it stands in its parent; the root has none.
    private struct Found {
        let element: PatchedElement
        let parent: PatchedElement?
        let place: Int
    }

    mutating func carryOut(_ operation: PatchOperation, _ content: PatchedElement) throws(MPDPatchError) {
        guard let text = operation["sel"], let selector = PatchSelector(text) else {
            throw .selector(operation["sel"] ?? "")
        }
        let found = try find(selector, text)
        switch (operation.name, selector.target) {
        case ("add", .element): try add(content, operation, to: found)
        case ("replace", .element):
            guard let parent = found.parent, let own = PatchedDocument.onlyElement(content) else {
                throw .operation("replace")
            }
            parent.pieces[found.place] = .element(own)
        case ("replace", .text):
            guard found.element.children.isEmpty else { throw .operation("replace text") }
            found.element.pieces = [.bytes(Array(XMLEdits.escaped(operation.text).utf8)[...])]
        case ("remove", .element):
            guard let parent = found.parent else { throw .operation("remove") }
            parent.pieces.remove(at: found.place)
        case ("replace", .attribute(let name)):
            guard found.element.rawAttribute(name) != nil else { throw .selector(text) }
            found.element.setAttribute(name, to: operation.text.trimmed)
        case ("remove", .attribute(let name)):
            guard found.element.rawAttribute(name) != nil else { throw .selector(text) }
            found.element.setAttribute(name, to: nil)
        default: throw .operation(operation.name)
        }
    }

    private func add(
        _ content: PatchedElement,
        _ operation: PatchOperation,
        to found: Found
    ) throws(MPDPatchError) {
        if let type = operation["type"] {
            guard type.first == "@", !type.contains(":"), found.element.rawAttribute(String(type.dropFirst())) == nil
            else { throw .operation("add \(type)") }
            return found.element.setAttribute(String(type.dropFirst()), to: operation.text.trimmed)
        }
        let pieces = content.pieces
        switch operation["pos"] {
        case nil: found.element.pieces += pieces
        case "prepend": found.element.pieces.insert(contentsOf: pieces, at: 0)
        case "before", "after":
            guard let parent = found.parent else { throw .operation("add beside the root") }
            parent.pieces.insert(contentsOf: pieces, at: found.place + (operation["pos"] == "after" ? 1 : 0))
        case .some(let other): throw .operation("add at \(other)")
        }
    }

    private static func onlyElement(_ content: PatchedElement) -> PatchedElement? {
        let elements = content.children
        return elements.count == 1 ? elements[0].element : nil
    }

    // MARK: Selectors

    /// The one element that a selector's steps lead to.
    private mutating func find(_ selector: PatchSelector, _ text: String) throws(MPDPatchError) -> Found {
        guard let first = selector.steps.first, matches(root, first.name),
            matches(root, first.predicates, position: 1)
        else { throw .selector(text) }
        var found = [Found(element: root, parent: nil, place: 0)]
        for step in selector.steps.dropFirst() {
            var next: [Found] = []
            for outer in found { try collect(step, in: outer.element, to: &next) }
            found = next
        }
        guard found.count == 1, found[0].parent == nil || found[0].element.rawAttribute("xmlns") == nil else {
            throw .selector(text)
        }
        return found[0]
    }

    /// The children that a step names, those left by one predicate counted anew for the next.
    private mutating func collect(
        _ step: PatchSelector.Step,
        in outer: PatchedElement,
        to found: inout [Found]
    ) throws(MPDPatchError) {
        let children = outer.children
        visited += children.count
        guard visited <= limits.patchVisits else { throw .tooLarge }
        var named = children.filter { matches($0.element, step.name) }
        for predicate in step.predicates {
            named = named.enumerated().filter { matches($1.element, [predicate], position: $0 + 1) }.map(\.element)
        }
        found += named.map { Found(element: $0.element, parent: outer, place: $0.place) }
    }

    private func matches(_ element: PatchedElement, _ name: String) -> Bool {
        element.name.elementsEqual(name.utf8)
    }

    private func matches(_ element: PatchedElement, _ predicates: [PatchSelector.Predicate], position: Int) -> Bool {
        predicates.allSatisfy { predicate in
            switch predicate {
            case .position(let wanted): wanted == position
            case .attribute(let name, let value):
                element.rawAttribute(name).map { PatchedDocument.unescaped($0) == value } ?? false
            }
        }
    }

    /// An attribute's value as readers see it; what has more than the five entities equals nothing.
    private static func unescaped(_ raw: ArraySlice<UInt8>) -> String? {
        guard raw.contains(0x26) else { return raw.text }
        var text = raw.text
        for (entity, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'")] {
            text = text.replacing(entity, with: character)
        }
        let rest = text.replacing("&amp;", with: "")
        return rest.contains("&") ? nil : text.replacing("&amp;", with: "&")
    }
}
