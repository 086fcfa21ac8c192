/// What an operation of a patch is about: the part of XPath that patches of manifests are written in (ISO/IEC 23009-1
/// 5.15.3, RFC 5261 4.1): an absolute path of names, each perhaps with positions and values of attributes.
struct PatchSelector: Hashable, Sendable {
    enum Predicate: Hashable, Sendable {
        /// Among its equals, from 1.
        case position(Int)
        case attribute(String, value: String)
    }

    struct Step: Hashable, Sendable {
        let name: String
        let predicates: [Predicate]
    }

    enum Target: Hashable, Sendable {
        case element
        case attribute(String)
        case text
    }

    let steps: [Step]
    let target: Target

    private static let mostBytes = 2048
    private static let mostSteps = 16
    private static let mostPredicates = 4

    /// Nil for anything else, prefixes and wildcards too.
    init?(_ text: String) {
        var scanner = Scanner(bytes: Array(text.utf8))
        guard scanner.bytes.count <= PatchSelector.mostBytes else { return nil }
        var steps: [Step] = []
        var target = Target.element
        while !scanner.isAtEnd {
            guard scanner.take(ASCII.slash), target == .element, steps.count < PatchSelector.mostSteps else {
                return nil
            }
            if scanner.take(0x40) {
                guard let name = scanner.name() else { return nil }
                target = .attribute(name)
            } else if scanner.take("text()") {
                target = .text
            } else {
                guard let step = scanner.step(most: PatchSelector.mostPredicates) else { return nil }
                steps.append(step)
            }
        }
        guard !steps.isEmpty else { return nil }
        self.steps = steps
        self.target = target
    }

    private struct Scanner {
        let bytes: [UInt8]
        private var index = 0

        init(bytes: [UInt8]) { self.bytes = bytes }

        var isAtEnd: Bool { index == bytes.count }

        mutating func take(_ byte: UInt8) -> Bool {
            guard index < bytes.count, bytes[index] == byte else { return false }
            index += 1
            return true
        }

        mutating func take(_ text: String) -> Bool {
            guard bytes[index...].starts(with: text.utf8) else { return false }
            index += text.utf8.count
            return true
        }

        mutating func name() -> String? {
            let start = index
            while index < bytes.count, Scanner.isOfName(bytes[index]) { index += 1 }
            guard index > start, !bytes[start].isASCIIDigit else { return nil }
            return bytes[start..<index].text
        }

        private static func isOfName(_ byte: UInt8) -> Bool {
            byte.isASCIIDigit || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
                || byte == ASCII.minus || byte == ASCII.dot
        }

        mutating func step(most: Int) -> Step? {
            guard let name = name() else { return nil }
            var predicates: [Predicate] = []
            while take(0x5B) {
                guard predicates.count < most, let predicate = predicate(), take(0x5D) else { return nil }
                predicates.append(predicate)
            }
            return Step(name: name, predicates: predicates)
        }

        private mutating func predicate() -> Predicate? {
            guard take(0x40) else {
                let start = index
                while index < bytes.count, bytes[index].isASCIIDigit { index += 1 }
                guard (1...9).contains(index - start), let position = Int(bytes[start..<index].text), position > 0
                else {
                    return nil
                }
                return .position(position)
            }
            guard let name = name(), take(ASCII.equals), index < bytes.count else { return nil }
            let quote = bytes[index]
            guard quote == ASCII.quote || quote == 0x27,
                let end = bytes[(index + 1)...].firstIndex(of: quote)
            else { return nil }
            defer { index = end + 1 }
            return .attribute(name, value: bytes[(index + 1)..<end].text)
        }
    }
}
