package import WeirCore

/// What other ways to keep what was watched would have given on the same viewings: holders without a network, where
/// everybody knows at once what everybody has, and every transfer succeeds. A real swarm can only come close.
package struct HolderModel {
    /// A player asks its agent for a segment.
    struct Ask {
        var time: Instant
        var agent: Int
        var segment: UInt64
        var bytes: Int64
    }

    package enum Keeping: Sendable {
        /// Everything, until the agent goes.
        case everything
        /// What came first goes first, each after `lifetime` at the latest.
        case firstInFirstOut(lifetime: Duration)
        /// Each agent for itself: what was used longest ago goes first.
        case leastRecentlyUsed
        /// All memory is one, and what will be asked for latest goes first: nothing that knows less can do better.
        case foresight
    }

    let asks: [Ask]
    private let capacity: Int64
    private let agents: Int
    private let warmUp: Instant
    private let goesAt: [Int: Instant]

    package init(_ scenario: Scenario, _ viewings: [Viewing]) {
        let shape = scenario.shape
        let ahead = Int((SimulatedPlayer.readAhead.seconds / scenario.segmentDuration.seconds).rounded(.up))
        let end = Instant.start + scenario.duration
        capacity = Int64(scenario.settings.cacheBytes)
        agents = scenario.peers
        warmUp = .start + scenario.warmUp
        var goesAt: [Int: Instant] = [:]
        if case .passing = scenario.onDemand?.audience {
            for viewing in viewings { goesAt[viewing.agent] = viewing.endsAt }
        }
        self.goesAt = goesAt
        asks = viewings.flatMap { HolderModel.asks($0, shape, ahead) }.filter { $0.time < end }
            .enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map { $0.element }
    }

    /// A player reads as fast as it gets until it is `ahead` segments ahead, then one per segment's time; what it has
    /// read when it jumps is lost to it.
    private static func asks(_ viewing: Viewing, _ shape: StreamShape, _ ahead: Int) -> [Ask] {
        var begun = viewing.startsAt
        var asks: [Ask] = []
        for (index, part) in viewing.parts.enumerated() {
            let isLast = index == viewing.parts.count - 1
            let readTo = isLast ? part.upperBound : min(shape.recordedSegments, part.upperBound + ahead)
            for place in part.lowerBound..<readTo {
                let segment = shape.first(ofTitle: viewing.title) + UInt64(place)
                let time = begun + shape.segmentDuration * max(0, place - part.lowerBound - ahead)
                guard time < viewing.endsAt else { break }
                asks.append(
                    Ask(time: time, agent: viewing.agent, segment: segment, bytes: Int64(shape.bytes(of: segment)))
                )
            }
            begun = begun + shape.segmentDuration * part.count
        }
        return asks
    }

    /// 1 − what the origin sends ÷ what players get, after the warm-up.
    package func offload(_ keeping: Keeping) -> Double {
        switch keeping {
        case .foresight: foresight()
        case .everything: shared(lifetime: nil, capacity: .max, renews: false)
        case .firstInFirstOut(let lifetime): shared(lifetime: lifetime, capacity: capacity, renews: false)
        case .leastRecentlyUsed: shared(lifetime: nil, capacity: capacity, renews: true)
        }
    }

    /// The agents' caches, side by side: a queue of what each holds, oldest first.
    private func shared(lifetime: Duration?, capacity: Int64, renews: Bool) -> Double {
        var caches = [Cache](repeating: Cache(), count: agents)
        /// Who holds a segment.
        var holders: [UInt64: Set<Int>] = [:]
        var (asked, missed): (Int64, Int64) = (0, 0)
        for ask in asks {
            let reachable = (holders[ask.segment] ?? []).filter { agent in
                guard goesAt[agent].map({ $0 > ask.time }) ?? true else { return false }
                guard let lifetime, let since = caches[agent].since[ask.segment] else { return true }
                return ask.time - since <= lifetime
            }
            // Who is gone, or kept it for too long, comes back only by asking anew.
            holders[ask.segment] = reachable
            if ask.time >= warmUp {
                asked += ask.bytes
                if reachable.isEmpty { missed += ask.bytes }
            }
            if reachable.contains(ask.agent), !renews { continue }
            for gone in caches[ask.agent].put(ask, capacity: capacity) { holders[gone]?.remove(ask.agent) }
            holders[ask.segment, default: []].insert(ask.agent)
        }
        return asked > 0 ? 1 - Double(missed) / Double(asked) : 0
    }

    private struct Cache {
        var since: [UInt64: Instant] = [:]
        private var order = Ring<(segment: UInt64, time: Instant, bytes: Int64)>()
        private var used: Int64 = 0

        /// - Returns: what had to go for it.
        mutating func put(_ ask: Ask, capacity: Int64) -> [UInt64] {
            if since[ask.segment] == nil { used += ask.bytes }
            since[ask.segment] = ask.time
            order.append((ask.segment, ask.time, ask.bytes))
            var gone: [UInt64] = []
            while used > capacity, let oldest = order.popFirst() {
                // Newer entries of the same segment stand for it.
                guard since[oldest.segment] == oldest.time else { continue }
                since[oldest.segment] = nil
                used -= oldest.bytes
                gone.append(oldest.segment)
            }
            return gone
        }
    }

    /// Belady's rule over the memory of all agents taken together.
    private func foresight() -> Double {
        var later: [UInt64: Int] = [:]
        var nextUse = [Int](repeating: .max, count: asks.count)
        for place in asks.indices.reversed() {
            nextUse[place] = later[asks[place].segment] ?? .max
            later[asks[place].segment] = place
        }
        let pool = capacity.multipliedReportingOverflow(by: Int64(agents))
        let room = pool.overflow ? Int64.max : pool.partialValue
        var held: [UInt64: (nextUse: Int, bytes: Int64)] = [:]
        var farthest = FarthestFirst()
        var used: Int64 = 0
        var (asked, missed): (Int64, Int64) = (0, 0)
        for (place, ask) in asks.enumerated() {
            let isHeld = held[ask.segment] != nil
            if ask.time >= warmUp {
                asked += ask.bytes
                if !isHeld { missed += ask.bytes }
            }
            if !isHeld { used += ask.bytes }
            held[ask.segment] = (nextUse[place], ask.bytes)
            farthest.push(nextUse[place], ask.segment)
            while used > room, let (use, segment) = farthest.pop() {
                guard let entry = held[segment], entry.nextUse == use else { continue }
                held[segment] = nil
                used -= entry.bytes
            }
        }
        return asked > 0 ? 1 - Double(missed) / Double(asked) : 0
    }
}

/// A heap with the latest use on top.
private struct FarthestFirst {
    private var heap: [(use: Int, segment: UInt64)] = []

    mutating func push(_ use: Int, _ segment: UInt64) {
        heap.append((use, segment))
        var child = heap.count - 1
        while child > 0, heap[(child - 1) / 2] < heap[child] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (Int, UInt64)? {
        guard let first = heap.first else { return nil }
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var parent = 0
        while 2 * parent + 1 < heap.count {
            var child = 2 * parent + 1
            if child + 1 < heap.count, heap[child] < heap[child + 1] { child += 1 }
            guard heap[parent] < heap[child] else { break }
            heap.swapAt(parent, child)
            parent = child
        }
        return first
    }
}
