import NIOCore
import WeirCore

/// Remembers what a part of the shell delivered, and lets a test wait for more.
///
/// Sendable, because everything mutable is touched on the event loop only.
final class InputLog: @unchecked Sendable {
    let loop: any EventLoop
    private var inputs: [Input] = []
    private var waiting: [(condition: @Sendable ([Input]) -> Bool, promise: EventLoopPromise<[Input]>)] = []

    init(loop: any EventLoop) {
        self.loop = loop
    }

    func record(_ input: Input) {
        loop.preconditionInEventLoop()
        inputs.append(input)
        check()
    }

    /// Everything so far, as soon as it satisfies the condition.
    func inputs(until condition: @escaping @Sendable ([Input]) -> Bool) async throws -> [Input] {
        try await loop.flatSubmit { [self] in
            let promise = loop.makePromise(of: [Input].self)
            waiting.append((condition, promise))
            check()
            return promise.futureResult
        }.get()
    }

    private func check() {
        let done = waiting.filter { $0.condition(inputs) }
        waiting.removeAll { $0.condition(inputs) }
        for entry in done { entry.promise.succeed(inputs) }
    }
}
