extension Holdings {
    func apply(_ range: Have.Range, limit: Int) {
        if range.kind == .initialisation {
            // Initialisation sections are named by hashes: ranges of them have one member.
            heldInitialisation.remove(range.first)
            fetchingInitialisation.remove(range.first)
            guard heldInitialisation.count + fetchingInitialisation.count < 64 else { return }
            switch range.state {
            case .held: heldInitialisation.insert(range.first)
            case .fetching: fetchingInitialisation.insert(range.first)
            case .gone, .underway: break
            }
            return
        }
        let end = range.first.addingReportingOverflow(range.count)
        let last = end.overflow ? UInt64.max : end.partialValue
        if range.state == .underway {
            if underway.count >= 32, let oldest = underway.min() { underway.remove(oldest) }
            underway.insert(range.first)
            return
        }
        let numbers = range.first..<max(range.first, last)
        if !fetching.isEmpty, fetching.contains(where: numbers.contains) {
            fetching = fetching.filter { !numbers.contains($0) }
        }
        switch range.state {
        case .held:
            held.insert(first: range.first, count: range.count)
            held.limit(to: limit)
            forgetParts(numbers)
        case .fetching:
            // One segment each: those that are named by their time stand for many numbers.
            if fetching.count < 64 { fetching.insert(range.first) }
        case .gone:
            held.remove(first: range.first, count: range.count)
            underway.remove(range.first)
            forgetParts(numbers)
        case .underway: break
        }
    }

    private func forgetParts(_ numbers: Range<UInt64>) {
        guard !partial.isEmpty else { return }
        if numbers.upperBound - numbers.lowerBound == 1 {
            partial[numbers.lowerBound] = nil
        } else {
            partial = partial.filter { !numbers.contains($0.key) }
        }
    }

    func holdsOrPromises(_ id: SegmentID) -> Bool {
        switch id.kind {
        case .media: held.contains(id.number) || fetching.contains(id.number)
        case .initialisation: heldInitialisation.contains(id.number) || fetchingInitialisation.contains(id.number)
        }
    }

    /// It said that it reads the segment.
    func promises(_ id: SegmentID) -> Bool {
        switch id.kind {
        case .media: fetching.contains(id.number)
        case .initialisation: fetchingInitialisation.contains(id.number)
        }
    }

    /// It said that it has all of these chunks.
    func hasPart(_ chunks: [Int], of id: SegmentID) -> Bool {
        guard let runs = partial[id.number] else { return false }
        return chunks.allSatisfy { runs.contains(chunk: $0) }
    }

    func offers(_ id: SegmentID) -> Bool {
        holdsOrPromises(id) || (id.kind == .media && partial[id.number] != nil)
    }
}
