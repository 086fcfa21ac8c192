// Adaptive players go from one quality to another: how the new one begins, and what becomes of the one they left.
//
// What is held of it stays held, told and served; its place in the list of those who would read is given up at once, and
// nothing of it is fetched any more but what peers were promised.
extension Agent {
    /// A player plays one of them at a time.
    private func areAlternatives(_ one: Rendition, _ other: Rendition) -> Bool {
        guard one !== other, one.bandwidth > 0, other.bandwidth > 0, !one.isParts, !other.isParts else { return false }
        let (first, second) = (one.representation?.representation, other.representation?.representation)
        return first?.content == second?.content && first?.periodStart == second?.periodStart
    }

    /// What a player's buffer is worth for a rendition that it turns to: what it has of the quality it comes from. Nil:
    /// it begins anew.
    func bufferElsewhere(of player: Player, before rendition: Rendition, at number: UInt64) -> Duration? {
        let others = player.playheads.filter { playhead in
            guard let other = rendition.stream.rendition(playhead.rendition), areAlternatives(other, rendition) else {
                return false
            }
            return !playhead.head.isLeft && playhead.head.hasStarted && playhead.head.goesOn(at: number)
                && now - playhead.head.lastRequest < idleAfter(other)
        }
        return others.map { $0.head.buffer(at: now) }.max()
    }

    /// A player has asked a segment of this quality: the others that it read are passed over.
    mutating func passOverOthers(of player: Player, for rendition: Rendition) {
        for place in player.playheads.indices {
            guard let other = rendition.stream.rendition(player.playheads[place].rendition),
                areAlternatives(other, rendition)
            else { continue }
            let wasLeft = player.playheads[place].head.isLeft
            player.playheads[place].head.passOver()
            // Nobody shall wait for us to read what nobody plays here.
            if !wasLeft, player.playheads[place].head.isLeft { tellInterest(other, force: false) }
        }
    }
}
