/// A first-in-first-out queue in a circular buffer that keeps its storage.
struct Ring<Element> {
    private var storage: ContiguousArray<Element?> = []
    private var head = 0
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    var first: Element? { count == 0 ? nil : storage[head] }

    mutating func append(_ element: Element) {
        if count == storage.count { grow() }
        var place = head + count
        if place >= storage.count { place -= storage.count }
        storage[place] = element
        count += 1
    }

    mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = storage[head]
        storage[head] = nil
        head += 1
        if head == storage.count { head = 0 }
        count -= 1
        return element
    }

    /// Changes the newest element in place; false when there is none or `change` says so.
    mutating func updateLast(_ change: (inout Element) -> Bool) -> Bool {
        guard count > 0 else { return false }
        let place = (head + count - 1) % storage.count
        guard var element = storage[place], change(&element) else { return false }
        storage[place] = element
        return true
    }

    mutating func removeAll() {
        storage = []
        head = 0
        count = 0
    }

    private mutating func grow() {
        var larger = ContiguousArray<Element?>()
        larger.reserveCapacity(max(8, storage.count * 2))
        for place in 0..<count { larger.append(storage[(head + place) % storage.count]) }
        while larger.count < max(8, storage.count * 2) { larger.append(nil) }
        storage = larger
        head = 0
    }
}
