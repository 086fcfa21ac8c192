import Logging
import NIOCore
import WeirCore

/// Pictures of streams (`/s/{stream}/preview.jpg`, `contact.jpg`): one at a time for the whole agent, each kept for a while, so that a page
/// full of them costs a box no more than one decoder. Confined to the endpoint's event loop, which is what makes it Sendable.
///
/// State of a picture: wanted → being made → there, until it is too old; being made → failed, for as long.
final class Previews: @unchecked Sendable {
    enum Subject: Hashable {
        /// Now, or at that time.
        case moment(TimeShift?)
        /// The whole window.
        case window
    }

    private struct Name: Hashable {
        var stream: StreamID
        var subject: Subject
    }

    /// A window takes a picture for each of its parts: it is shown for so many times as long.
    private static let windowLasts: Int64 = 6

    /// Pictures that are kept, and that wait to be made.
    private static let most = 64
    private static let mostBytes = 1024 * 1024

    private let settings: ContinuousSettings
    private let loop: any EventLoop
    private let logger: Logger
    private var made: [(name: Name, result: MediaJob.Result, at: NIODeadline)] = []
    private var wanted: [(name: Name, command: [String], connections: [PlayerConnection])] = []
    private var job: MediaJob?

    init(settings: ContinuousSettings, loop: any EventLoop, logger: Logger) {
        self.settings = settings
        self.loop = loop
        self.logger = logger
    }

    /// - Parameter base: where the worker finds the endpoint.
    func answer(
        _ connection: PlayerConnection,
        _ stream: StreamID,
        _ subject: Subject,
        session: SessionReport?,
        base: String
    ) {
        guard let session, !session.path.isEmpty else {
            return connection.decline(.noStream)
        }
        guard settings.previews else {
            return connection.decline(501, "pictures are off", "Set previews to true.")
        }
        if let lack = settings.lack {
            return connection.decline(.lack(lack))
        }
        let name = Name(stream: stream, subject: subject)
        let now = NIODeadline.now()
        made.removeAll { $0.at < now - lasting($0.name) }
        if let known = made.first(where: { $0.name == name }) { return give(known.result, to: connection) }
        guard let order = order(subject, session, base) else {
            let hint = "Watch it first, and see dvr_length."
            return connection.decline(404, "nothing of this stream's past is held", hint)
        }
        wait(connection, for: name, settings.worker + ["picture"] + order)
    }

    private func lasting(_ name: Name) -> TimeAmount {
        .seconds(settings.previewSeconds * (name.subject == .window ? Previews.windowLasts : 1))
    }

    private func order(_ subject: Subject, _ session: SessionReport, _ base: String) -> [String]? {
        switch subject {
        case .moment(let at): return [at.map { session.address(at: $0, base: base) } ?? base + session.path]
        case .window:
            guard let sheet = ContactSheet(window: session.window_seconds) else { return nil }
            let shape = ["--columns", "\(sheet.columns)", "--width", "\(ContactSheet.width)"]
            return shape + sheet.moments.map { session.address(at: $0, base: base) }
        }
    }

    private func wait(_ connection: PlayerConnection, for name: Name, _ command: [String]) {
        if let index = wanted.firstIndex(where: { $0.name == name }) {
            wanted[index].connections.append(connection)
        } else {
            guard wanted.count < Previews.most else {
                return connection.decline(503, "too many pictures are waited for", "Ask again later.")
            }
            wanted.append((name, command, [connection]))
        }
        let isGone: () -> Void = { [weak self, weak connection] in
            guard let self else { return }
            // Who left waits for nothing; what is being made is made for the next one.
            for index in wanted.indices { wanted[index].connections.removeAll { $0 === connection } }
            wanted = wanted.enumerated().filter { $0 == 0 || !$1.connections.isEmpty }.map { $1 }
        }
        connection.follow(ContinuousReader(onWritable: {}, onGone: isGone))
        makeNext()
    }

    private func makeNext() {
        guard job == nil, let next = wanted.first else { return }
        job = MediaJob(
            next.command,
            mostBytes: Previews.mostBytes,
            within: settings.firstByteSeconds,
            loop: loop,
            onLine: { [logger] in logger.info("picture: \($0)") },
            onEnd: { [weak self] in self?.ended($0) }
        )
    }

    private func ended(_ made: MediaJob.Result) {
        job = nil
        guard let first = wanted.first else { return }
        wanted.removeFirst()
        var result = made
        if case .bytes(let bytes) = made, !bytes.starts(with: [0xFF, 0xD8]) { result = .failure("its worker ended") }
        self.made.removeAll { $0.name == first.name }
        if self.made.count >= Previews.most { self.made.removeFirst() }
        self.made.append((first.name, result, .now()))
        for connection in first.connections {
            connection.unfollow()
            give(result, to: connection)
        }
        makeNext()
    }

    private func give(_ result: MediaJob.Result, to connection: PlayerConnection) {
        switch result {
        case .bytes(let bytes):
            let fields = [HeaderField("content-type", "image/jpeg"), HeaderField("cache-control", "no-cache")]
            connection.answer(status: 200, fields: fields, body: bytes)
        case .failure(let reason):
            connection.decline(502, "there is no picture: \(reason)", "Ask again later.")
        }
    }

    func shutDown() {
        wanted = []
        job?.end()
        job = nil
    }
}
