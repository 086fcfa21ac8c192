/// What one viewer of the demo and its agent have done so far.
struct DemoFigures: Sendable, Equatable {
    var name: String
    /// Seconds that the viewer could play on without another byte.
    var bufferSeconds = 0.0
    var peerBytes: Int64 = 0
    var edgeBytes: Int64 = 0
    var originBytes: Int64 = 0
    var uploadedBytes: Int64 = 0
    /// Media bytes that the viewer got.
    var viewedBytes: Int64 = 0
    var stalls = 0

    static let columns = ["viewer", "buffer", "peers", "edge", "origin", "uploaded", "stalls"]

    var cells: [String] {
        [
            name, DemoFigures.fixed(bufferSeconds, decimals: 1) + " s", DemoFigures.megabytes(peerBytes),
            DemoFigures.megabytes(edgeBytes), DemoFigures.megabytes(originBytes), DemoFigures.megabytes(uploadedBytes),
            String(stalls),
        ]
    }

    static func megabytes(_ bytes: Int64) -> String { fixed(Double(bytes) / 1e6, decimals: 2) + " MB" }

    static func percent(_ ratio: Double) -> String { fixed(ratio * 100, decimals: 1) + " %" }

    /// A number with a fixed count of decimals, for |number| below 10^12.
    static func fixed(_ number: Double, decimals: Int) -> String {
        let scale = (0..<decimals).reduce(1.0) { product, _ in product * 10 }
        let rounded = (abs(number) * scale).rounded()
        guard rounded < 1e15 else { return "?" }
        let digits = String(Int64(rounded))
        let padded = String(repeating: "0", count: max(0, decimals + 1 - digits.count)) + digits
        let sign = number < 0 && rounded > 0 ? "-" : ""
        return decimals == 0 ? sign + padded : "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }

    /// Lines of equal columns: the first cell flush left, the others flush right.
    static func table(_ figures: [DemoFigures]) -> [String] {
        let rows = [columns] + figures.map(\.cells)
        let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            zip(row, widths).enumerated().map { column, cell in
                let space = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + space : space + cell.0
            }.joined(separator: "  ")
        }
    }
}

/// Offload over a span of time: 1 − origin payload ÷ bytes delivered to players.
struct DemoOffload: Sendable {
    var originBytes: Int64
    var deliveredBytes: Int64
    var viewers: Int

    var ratio: Double { deliveredBytes > 0 ? 1 - Double(originBytes) / Double(deliveredBytes) : 0 }
    /// One copy from the origin serves all viewers of one rendition.
    var bound: Double { 1 - 1 / Double(max(1, viewers)) }
}
