import NIOCore
import WeirCore
import WeirNet

/// The hub of trackers as the host's tracker transport.
///
/// `NIOLoopBound` makes it Sendable: the hub is touched on its loop alone, as `TrackerTransport` demands.
final class TrackerLinks: TrackerTransport {
    private let hub: NIOLoopBound<TrackerHub>
    private let loop: any EventLoop
    private let count: Int

    private init(hub: NIOLoopBound<TrackerHub>, loop: any EventLoop, count: Int) {
        self.hub = hub
        self.loop = loop
        self.count = count
    }

    static func start(
        loop: any EventLoop,
        urls: [String],
        deliver: @escaping @Sendable (Input) -> Void
    ) async throws -> TrackerLinks {
        let hub = try await loop.submit {
            NIOLoopBound(TrackerHub(loop: loop, urls: urls, deliver: deliver), eventLoop: loop)
        }.get()
        return TrackerLinks(hub: hub, loop: loop, count: urls.count)
    }

    func open(_ tracker: TrackerID) { hub.value.open(tracker) }
    func announce(_ tracker: TrackerID, _ request: TrackerRequest) { hub.value.announce(tracker, request) }
    func close(_ tracker: TrackerID) { hub.value.close(tracker) }

    func shutDown() -> EventLoopFuture<Void> {
        for index in 0..<count { hub.value.close(TrackerID(index)) }
        return loop.makeSucceededVoidFuture()
    }
}
