/// The known name that a mistyped one most likely meant: the least edit distance, at most a third of its length.
///
/// - Returns: nil when nothing is near enough to be worth saying.
package func nearestName(to word: String, among known: [String]) -> String? {
    let ranked = known.map { (name: $0, distance: editDistance(Array(word.utf8.prefix(64)), Array($0.utf8))) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(2, best.name.utf8.count / 3) ? best.name : nil
}

/// Levenshtein's distance: insertions, deletions and substitutions, each costing one.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var row = Array(0...right.count)
    for (leftIndex, leftByte) in left.enumerated() {
        var diagonal = row[0]
        row[0] = leftIndex + 1
        for (rightIndex, rightByte) in right.enumerated() {
            let substituted = diagonal + (leftByte == rightByte ? 0 : 1)
            diagonal = row[rightIndex + 1]
            row[rightIndex + 1] = min(substituted, row[rightIndex] + 1, diagonal + 1)
        }
    }
    return row[right.count]
}
