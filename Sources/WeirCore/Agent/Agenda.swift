/// What is due when: a binary heap whose ties go to what was noted first.
///
/// Notes are hints, not promises: whoever is called looks whether there is something to do, so an outdated note costs
/// one look and never needs to be taken back.
struct Agenda {
    enum Task: Hashable {
        case plan(StreamID)
        case reload(StreamID, RenditionKey?)
        case answer(RequestID)
        case uploads
        case dials
        case tracker(TrackerID)
        case link(LinkID)
        case house
        case steering(StreamID)
        case warm
    }

    private struct Note {
        var due: Instant
        var order: UInt64
        var task: Task

        func precedes(_ other: Note) -> Bool { due != other.due ? due < other.due : order < other.order }
    }

    private var heap: [Note] = []
    private var order: UInt64 = 0
    /// The earliest note of each task, so that the same look is not noted over and over.
    private var earliest: [Task: Instant] = [:]

    var nextDue: Instant? { heap.first?.due }

    mutating func note(_ task: Task, at due: Instant) {
        guard due < .never else { return }
        if let known = earliest[task], known <= due { return }
        earliest[task] = due
        order += 1
        heap.append(Note(due: due, order: order, task: task))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].precedes(heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    /// Takes the first task that is due; nil when none is.
    mutating func takeDue(at now: Instant) -> Task? {
        while let first = heap.first, first.due <= now {
            removeFirst()
            // A later note of a task that was also noted earlier finds its record gone or moved.
            guard earliest[first.task] == first.due else { continue }
            earliest[first.task] = nil
            dropOutdated()
            return first.task
        }
        return nil
    }

    /// Nobody is to be called for a note that an earlier one has made outdated.
    private mutating func dropOutdated() {
        while let first = heap.first, earliest[first.task] != first.due { removeFirst() }
    }

    private mutating func removeFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while true {
            let left = 2 * parent + 1
            guard left < heap.count else { return }
            let right = left + 1
            let child = right < heap.count && heap[right].precedes(heap[left]) ? right : left
            guard heap[child].precedes(heap[parent]) else { return }
            heap.swapAt(child, parent)
            parent = child
        }
    }
}
