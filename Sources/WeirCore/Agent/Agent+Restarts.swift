// When a number or an address of a playlist comes to mean something else, and what a live stream forgets.
extension Agent {
    /// A packager that begins anew numbers from its start again, often with the names it used before. A list that shares
    /// no number with the one before and lies behind it is told apart from a stale copy by that.
    mutating func forgetIfRestarted(_ rendition: Rendition, from old: MediaPlaylist, to new: MediaPlaylist) {
        guard !old.endList, let oldFirst = old.segments.first?.sequence, let newLast = new.segments.last?.sequence,
            newLast < oldFirst
        else { return }
        setCondition(.restarted, of: rendition.manifest, rendition.stream)
        for segment in rendition.allSegments { replace(segment) }
        // Its numbers come again.
        rendition.window = TimeShiftWindow()
        rendition.keptFrom = nil
    }

    /// Takes a segment out of its rendition: at once when nobody reads it, else when the last one has read it.
    mutating func replace(_ segment: Segment) {
        let rendition = segment.rendition
        if let copy = segment.disk { forgetFile(copy.id) }
        if segment.announced != nil { announce(segment, .gone) }
        switch segment.id.kind {
        case .media: rendition.media[segment.id.number] = nil
        case .initialisation: rendition.initialisation[segment.id.number] = nil
        }
        guard !segment.answers.isEmpty else { return drop(segment) }
        segment.isReplaced = true
        // What peers say of this number is about the new file.
        if !segment.isHeld { setAside(segment, why: "replaced in the playlist") }
    }

    /// The last one who read a replaced segment is done with it.
    mutating func dropIfReplaced(_ segment: Segment) {
        if segment.isReplaced, segment.answers.isEmpty { drop(segment) }
    }

    /// Segments that left the window and hold nothing need no record any more; initialisation sections that no entry
    /// names any more need no room either.
    mutating func forgetOldSegments(_ rendition: Rendition) {
        guard rendition.isLive, rendition.listing != nil else { return }
        let named = rendition.namedInitialisations
        for number in rendition.initialisation.keys.sorted() where !named.contains(number) {
            guard let section = rendition.initialisation[number], section.answers.isEmpty else { continue }
            replace(section)
        }
        guard let first = rendition.first, rendition.media.count > 128 else { return }
        for number in rendition.media.keys.sorted() where number < first {
            guard let segment = rendition.media[number], segment.phase == .absent, segment.answers.isEmpty,
                segment.runs.isEmpty, segment.disk == nil, !rendition.window.holds(number)
            else { continue }
            rendition.media[number] = nil
        }
    }
}

extension Rendition {
    /// Numbers of the initialisation sections that the newest manifest names.
    fileprivate var namedInitialisations: Set<UInt64> {
        if let representation {
            return Set([representation.representation.initialisation].compactMap { $0?.id(of: key).number })
        }
        let hinted = [playlist?.lowLatency.mapHint].compactMap { $0 }
        return Set(((playlist?.maps ?? []) + hinted).map { $0.id(of: key).number })
            .union(window.entries.compactMap { $0.section })
    }
}
