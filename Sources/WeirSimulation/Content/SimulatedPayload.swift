package import WeirCore

/// Media bytes as a description: which bytes of which object, and whether somebody changed them.
///
/// Its digest derives from the description, so a swarm of a thousand agents stores and hashes nothing. Equal bytes have
/// equal descriptions: neighbouring pieces of one object are one piece.
package final class SimulatedPayload: Payload {
    /// Consecutive bytes of one object.
    package struct Piece: Equatable, Sendable {
        package var object: UInt64
        package var offset: Int64
        package var count: Int
        /// 0 for the object's own bytes, anything else for bytes that were tampered with.
        package var tag: UInt64

        func isFollowed(by next: Piece) -> Bool {
            object == next.object && tag == next.tag && offset + Int64(count) == next.offset
        }
    }

    package let count: Int
    private let first: Piece
    private let rest: [Piece]

    package init(object: UInt64, offset: Int64, count: Int, tag: UInt64 = 0) {
        first = Piece(object: object, offset: offset, count: count, tag: tag)
        rest = []
        self.count = count
    }

    private init(_ pieces: [Piece]) {
        var joined: [Piece] = []
        for piece in pieces where piece.count > 0 {
            if let last = joined.last, last.isFollowed(by: piece) {
                joined[joined.count - 1].count += piece.count
            } else {
                joined.append(piece)
            }
        }
        first = joined.first ?? Piece(object: 0, offset: 0, count: 0, tag: 0)
        rest = Array(joined.dropFirst())
        count = joined.reduce(0) { $0 + $1.count }
    }

    package var pieces: [Piece] { [first] + rest }

    /// The bytes of one object in order, if that is all there is.
    package var single: Piece? { rest.isEmpty ? first : nil }

    /// The same place in the object, but other bytes.
    package func tampered(_ tag: UInt64) -> SimulatedPayload {
        SimulatedPayload(
            pieces.map { piece in
                var changed = piece
                changed.tag = piece.tag ^ tag
                return changed
            }
        )
    }

    package func slice(_ range: Range<Int>) -> any Payload {
        if rest.isEmpty {
            return SimulatedPayload(
                object: first.object,
                offset: first.offset + Int64(range.lowerBound),
                count: range.count,
                tag: first.tag
            )
        }
        var parts: [Piece] = []
        var start = 0
        for piece in pieces {
            let from = max(range.lowerBound, start)
            let to = min(range.upperBound, start + piece.count)
            if from < to {
                var part = piece
                part.offset += Int64(from - start)
                part.count = to - from
                parts.append(part)
            }
            start += piece.count
        }
        return SimulatedPayload(parts)
    }

    package func digest() -> Digest {
        var state = mixed(UInt64(count))
        for piece in pieces {
            state = mixed(state ^ piece.object, UInt64(bitPattern: piece.offset), piece.tag)
        }
        return Digest(words: (mixed(state, 1), mixed(state, 2), mixed(state, 3), mixed(state, 4)))
    }

    package func stored(followedBy others: [any Payload]) -> any Payload {
        var parts = pieces
        for other in others {
            guard let simulated = other as? SimulatedPayload else {
                preconditionFailure("simulated media is never mixed with real bytes")
            }
            parts.append(contentsOf: simulated.pieces)
        }
        return parts.count == 1 ? self : SimulatedPayload(parts)
    }

    /// Bytes that repeat with the description, for whoever insists on reading them: digests of whole bodies do.
    package func bytes() -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        for piece in pieces {
            var offset = UInt64(bitPattern: piece.offset)
            let end = offset + UInt64(piece.count)
            while offset < end {
                let word = mixed(piece.object ^ piece.tag, offset / 8)
                let last = min(end, (offset / 8 + 1) * 8)
                for place in offset % 8..<offset % 8 + (last - offset) {
                    result.append(UInt8(truncatingIfNeeded: word >> (8 * place)))
                }
                offset = last
            }
        }
        return result
    }
}
