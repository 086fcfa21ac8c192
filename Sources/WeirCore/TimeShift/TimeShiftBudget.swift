/// How far back a budget of bytes reaches: the newest media of all streams is kept first.
enum TimeShiftBudget {
    /// A held segment.
    struct Piece {
        /// When it was the live edge.
        var edge: Instant
        var bytes: Int64
    }

    /// - Returns: the moment from which on everything is kept, and how much that is.
    static func floor(of pieces: [Piece], within budget: Int64) -> (floor: Instant, bytes: Int64) {
        var kept: Int64 = 0
        var floor = Instant.never
        var group: Int64 = 0
        let ordered = pieces.sorted { $0.edge > $1.edge }
        for (index, piece) in ordered.enumerated() {
            // What was the edge at one moment is kept together or not at all.
            group += piece.bytes
            guard index + 1 == ordered.count || ordered[index + 1].edge < piece.edge else { continue }
            guard kept + group <= budget else { break }
            kept += group
            group = 0
            floor = piece.edge
        }
        return (floor, kept)
    }
}
