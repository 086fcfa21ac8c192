import WeirCore

/// A drawing as text (SVG 1.1): lines, areas and words, nothing more.
struct SVG {
    let width: Double
    let height: Double
    private var elements: [String] = []

    init(width: Double, height: Double) {
        self.width = width
        self.height = height
    }

    enum Anchor: String { case start, middle, end }

    mutating func line(
        _ from: (x: Double, y: Double),
        _ to: (x: Double, y: Double),
        _ colour: String,
        width: Double = 1
    ) {
        elements.append(
            "<line x1=\"\(Self.number(from.x))\" y1=\"\(Self.number(from.y))\" x2=\"\(Self.number(to.x))\""
                + " y2=\"\(Self.number(to.y))\" stroke=\"\(colour)\" stroke-width=\"\(Self.number(width))\"/>"
        )
    }

    /// - Parameter dashes: pattern of a broken line, empty for a whole one.
    mutating func path(_ points: [(x: Double, y: Double)], _ colour: String, width: Double = 1.5, dashes: String = "") {
        guard points.count > 1 else { return }
        let broken = dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\""
        elements.append(
            "<polyline points=\"\(Self.text(points))\" fill=\"none\" stroke=\"\(colour)\""
                + " stroke-width=\"\(Self.number(width))\"\(broken) stroke-linejoin=\"round\"/>"
        )
    }

    mutating func area(_ points: [(x: Double, y: Double)], _ colour: String) {
        guard points.count > 1 else { return }
        elements.append("<polygon points=\"\(Self.text(points))\" fill=\"\(colour)\" stroke=\"none\"/>")
    }

    mutating func text(
        _ words: String,
        at place: (x: Double, y: Double),
        size: Double = 12,
        colour: String = "#222222",
        anchor: Anchor = .start,
        isBold: Bool = false
    ) {
        let weight = isBold ? " font-weight=\"bold\"" : ""
        elements.append(
            "<text x=\"\(Self.number(place.x))\" y=\"\(Self.number(place.y))\" font-size=\"\(Self.number(size))\""
                + " fill=\"\(colour)\" text-anchor=\"\(anchor.rawValue)\"\(weight)>\(Self.escaped(words))</text>"
        )
    }

    var document: String {
        let size = "width=\"\(Self.number(width))\" height=\"\(Self.number(height))\""
        let box = "viewBox=\"0 0 \(Self.number(width)) \(Self.number(height))\""
        return
            (["<svg xmlns=\"http://www.w3.org/2000/svg\" \(size) \(box) font-family=\"sans-serif\">"]
            + ["<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"] + elements + ["</svg>", ""])
            .joined(separator: "\n")
    }

    private static func number(_ value: Double) -> String { DecimalText.format(value, digits: 1) }

    private static func text(_ points: [(x: Double, y: Double)]) -> String {
        points.map { "\(number($0.x)),\(number($0.y))" }.joined(separator: " ")
    }

    /// XML 1.0, 2.4.
    static func escaped(_ words: String) -> String {
        var result = ""
        for character in words {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}
