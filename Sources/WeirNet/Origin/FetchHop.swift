import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// One request of a fetch: a fetch has several when it is redirected.
///
/// Legal transitions of the fetch it belongs to: asking → receiving → ended; asking → redirecting → asking;
/// any → ended. A hop that is no longer its exchange's current one reports nothing.
///
/// Sendable, because the client calls it on the one event loop only: it is executed with `.delegate(on: loop)`.
final class FetchHop: HTTPClientResponseDelegate, @unchecked Sendable {
    typealias Response = Void

    private weak var exchange: FetchExchange?

    init(_ exchange: FetchExchange) {
        self.exchange = exchange
    }

    /// Nothing more is reported.
    func detach() { exchange = nil }

    func didSendRequest(task: HTTPClient.Task<Void>) { exchange?.sent() }

    func didReceiveHead(task: HTTPClient.Task<Void>, _ head: HTTPResponseHead) -> EventLoopFuture<Void> {
        exchange?.received(head: head)
        return task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveBodyPart(task: HTTPClient.Task<Void>, _ buffer: ByteBuffer) -> EventLoopFuture<Void> {
        exchange?.received(body: buffer) ?? task.eventLoop.makeSucceededVoidFuture()
    }

    func didReceiveError(task: HTTPClient.Task<Void>, _ error: any Error) {
        exchange?.failed(error)
    }

    func didFinishRequest(task: HTTPClient.Task<Void>) {
        exchange?.finished()
    }
}
