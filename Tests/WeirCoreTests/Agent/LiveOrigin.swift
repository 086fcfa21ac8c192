import Testing

@testable import WeirCore

/// A live origin in an agent's world: a segment every two seconds or so, six in its list, and files only while they are listed.
final class LiveOrigin {
    static let url = "http://o.example/live/index.m3u8"
    let world: AgentWorld
    let bytes: Int
    let seconds: Int
    private(set) var newest = 5
    private var isOver = false

    init(_ world: AgentWorld, bytes: Int = 40_000, seconds: Int = 2) {
        self.world = world
        self.bytes = bytes
        self.seconds = seconds
        publish()
    }

    func body(_ number: Int) -> [UInt8] {
        (0..<bytes).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number &* 7 &+ $0 >> 8) }
    }

    private func publish() {
        let first = newest - 5
        let text = Playlists.live(first...newest, target: seconds, end: isOver) { "\($0).ts" }
        world.resources[LiveOrigin.url] = .init(bytes: Array(text.utf8))
        for number in first...newest where world.resources[url(number)] == nil {
            world.resources[url(number)] = .init(bytes: body(number))
        }
        world.resources[url(first - 1)] = nil
    }

    private func url(_ number: Int) -> String { "http://o.example/live/\(number).ts" }

    /// Publishes so many segments, each in its time.
    func go(_ count: Int, between: () -> Void = {}) {
        for _ in 0..<count {
            world.run(.seconds(seconds))
            newest += 1
            publish()
            between()
        }
    }

    func end() {
        isOver = true
        publish()
    }

    func goAway() {
        for key in world.resources.keys.sorted() { world.resources[key] = nil }
    }
}

/// What tests of time shift ask of an agent.
extension AgentWorld {
    func text(_ agent: Int, _ target: String) -> String {
        let id = get(agent, target)
        run(.seconds(3))
        #expect(answers[id]?.status == 200, "\(target)")
        return String(decoding: answers[id]?.body ?? [], as: UTF8.self)
    }

    /// A player that reads the list and the next segment each time.
    func play(_ agent: Int, _ path: String, _ number: Int) {
        get(agent, path)
        get(agent, path.replacingIndex(with: "\(number).ts"))
    }

    /// The address of the window of a stream.
    static func window(_ path: String) -> String {
        path.split(separator: "/").prefix(2).reduce("") { "\($0)/\($1)" } + "/dvr.m3u8"
    }

    /// The segments that a list names.
    static func numbers(_ list: String) -> [Int] {
        let lines = list.split(separator: "\n")
        return lines.filter { $0.hasSuffix(".ts") }.compactMap { line in
            line.split(separator: "/").last.flatMap { Int($0.dropLast(3)) }
        }
    }
}
