package import WeirCore

/// The virtual clock: events in order of time, and of insertion where the time is the same.
///
/// A binary heap. `now` only moves when an event is taken; nothing else in a simulation knows a time.
package final class EventQueue {
    private struct Entry {
        var nanoseconds: Int64
        var order: UInt64
        var event: Event

        @inline(__always)
        func precedes(_ other: Entry) -> Bool {
            nanoseconds != other.nanoseconds ? nanoseconds < other.nanoseconds : order < other.order
        }
    }

    private var heap: ContiguousArray<Entry> = []
    private var inserted: UInt64 = 0
    package private(set) var now = Instant.start
    /// Events taken so far.
    package private(set) var taken: UInt64 = 0
    /// Mix of every event taken, in order, and of whatever else was noted.
    package private(set) var digest = EventDigest()

    package init() {}

    package var isEmpty: Bool { heap.isEmpty }
    package var nextTime: Instant? { heap.first.map { Instant(nanoseconds: $0.nanoseconds) } }

    /// Schedules an event; a time that has passed counts as now.
    package func schedule(_ event: Event, at time: Instant) {
        let entry = Entry(nanoseconds: max(time.nanoseconds, now.nanoseconds), order: inserted, event: event)
        inserted += 1
        heap.append(entry)
        siftUp(from: heap.count - 1)
    }

    package func schedule(_ event: Event, after delay: Duration) {
        schedule(event, at: now + delay)
    }

    /// The earliest event, unless it lies beyond `end`. Moves the clock to it.
    package func next(until end: Instant) -> Event? {
        guard let first = heap.first, first.nanoseconds <= end.nanoseconds else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown()
        }
        now = Instant(nanoseconds: first.nanoseconds)
        taken += 1
        let kindAndSubject = UInt64(first.event.kind.rawValue) << 32 | UInt64(UInt32(bitPattern: first.event.subject))
        digest.mix(UInt64(bitPattern: first.nanoseconds))
        digest.mix(kindAndSubject ^ UInt64(bitPattern: first.event.detail) &* 0x9e37_79b9_7f4a_7c15)
        return first.event
    }

    /// Adds something that happened within an event to the log digest.
    package func note(_ value: UInt64) {
        digest.mix(value)
    }

    private func siftUp(from start: Int) {
        var index = start
        let entry = heap[index]
        while index > 0 {
            let parent = (index - 1) / 2
            guard entry.precedes(heap[parent]) else { break }
            heap[index] = heap[parent]
            index = parent
        }
        heap[index] = entry
    }

    private func siftDown() {
        var index = 0
        let entry = heap[0]
        let count = heap.count
        while true {
            var child = 2 * index + 1
            guard child < count else { break }
            if child + 1 < count, heap[child + 1].precedes(heap[child]) { child += 1 }
            guard heap[child].precedes(entry) else { break }
            heap[index] = heap[child]
            index = child
        }
        heap[index] = entry
    }
}
