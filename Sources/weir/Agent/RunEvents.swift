/// What the life of an agent waits for, one after another; Ctrl-C and SIGTERM are among it.
struct RunEvents<Event: Sendable>: Sendable {
    let all: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation
    private let interrupts: Interrupts

    /// - Parameter interrupted: what the first Ctrl-C or SIGTERM is told as; the second ends the process.
    init(interrupted: Event) {
        let (all, continuation) = AsyncStream.makeStream(of: Event.self)
        self.all = all
        self.continuation = continuation
        interrupts = Interrupts { continuation.yield(interrupted) }
    }

    func post(_ event: Event) { continuation.yield(event) }
}
