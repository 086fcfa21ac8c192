import WeirCore

/// An agent's HTTP/1.1 client: kept connections, at most six to one server, one exchange at a time on each.
final class HTTPPool {
    static let connectionsPerServer = 6
    /// No byte for this long ends an exchange, as in the shell.
    static let patience = Duration.seconds(10)

    private struct Kept {
        var connection: Int
        var server: Int
        var exchange: Exchange?
        var isOpen: Bool
        /// Opened for one exchange that wanted a connection of its own; used by others afterwards.
        var isFresh: Bool
    }

    private let host: Int
    private let handshakes: Int
    private let network: Network
    private let queue: EventQueue
    private var kept: [Kept] = []
    private var waiting: [Exchange] = []
    private var exchanges: [FetchID: Exchange] = [:]
    /// Called for each connection made, so that the simulation knows whose it is.
    var onConnect: (Int, _ server: Int) -> Void = { _, _ in }
    private let hostOfServer: (Int) -> Int

    init(
        host: Int,
        handshakes: Int,
        network: Network,
        queue: EventQueue,
        hostOfServer: @escaping (Int) -> Int
    ) {
        self.host = host
        self.handshakes = handshakes
        self.network = network
        self.queue = queue
        self.hostOfServer = hostOfServer
    }

    func start(_ exchange: Exchange) {
        exchanges[exchange.fetch] = exchange
        exchange.touched = queue.now
        queue.schedule(Event(.fetchTimer, exchange.number), after: HTTPPool.patience)
        let wantsFresh = exchange.request.freshConnection
        let mine = kept.indices.filter { kept[$0].server == exchange.server }
        if !wantsFresh, let idle = mine.last(where: { kept[$0].exchange == nil && kept[$0].isOpen }) {
            kept[idle].exchange = exchange
            ask(exchange, on: kept[idle].connection)
        } else if wantsFresh || mine.count < HTTPPool.connectionsPerServer {
            exchange.state = .connecting
            let connection = network.connect(
                from: host,
                to: hostOfServer(exchange.server),
                handshakes: handshakes
            )
            onConnect(connection, exchange.server)
            exchange.connection = connection
            kept.append(
                Kept(
                    connection: connection,
                    server: exchange.server,
                    exchange: exchange,
                    isOpen: false,
                    isFresh: wantsFresh
                )
            )
        } else {
            waiting.append(exchange)
        }
    }

    private func ask(_ exchange: Exchange, on connection: Int) {
        exchange.state = .asked
        exchange.connection = connection
        exchange.touched = queue.now
        network.send(Frame(byteCount: exchange.requestBytes, content: .request(exchange)), on: connection, side: 0)
    }

    /// The agent no longer wants it. The only way to stop a running answer is to close its connection.
    func cancel(_ fetch: FetchID) {
        guard let exchange = exchanges.removeValue(forKey: fetch) else { return }
        waiting.removeAll { $0 === exchange }
        end(exchange)
    }

    private func end(_ exchange: Exchange) {
        exchange.state = .over
        guard let place = kept.firstIndex(where: { $0.exchange === exchange }) else { return }
        network.close(kept[place].connection, side: 0, abort: true)
        let server = kept[place].server
        kept.remove(at: place)
        startWaiting(server)
    }

    func setPaused(_ isPaused: Bool, _ fetch: FetchID) {
        guard let exchange = exchanges[fetch], exchange.connection >= 0 else { return }
        network.setPaused(isPaused, on: exchange.connection, side: 0)
    }

    /// The exchange that the server is answering on a connection.
    func exchange(on connection: Int) -> Exchange? {
        kept.first { $0.connection == connection }?.exchange
    }

    // MARK: What the network reports

    func opened(_ connection: Int) {
        guard let place = kept.firstIndex(where: { $0.connection == connection }) else { return }
        kept[place].isOpen = true
        if let exchange = kept[place].exchange { ask(exchange, on: connection) }
    }

    /// - Returns: the exchange that failed with it.
    func lost(_ connection: Int) -> Exchange? {
        guard let place = kept.firstIndex(where: { $0.connection == connection }) else { return nil }
        let gone = kept.remove(at: place)
        defer { startWaiting(gone.server) }
        guard let exchange = gone.exchange else { return nil }
        exchange.state = .over
        exchanges[exchange.fetch] = nil
        return exchange
    }

    /// The answer is whole; its connection is free for the next.
    func finished(_ exchange: Exchange) {
        exchanges[exchange.fetch] = nil
        exchange.state = .over
        guard let place = kept.firstIndex(where: { $0.exchange === exchange }) else { return }
        network.setPaused(false, on: kept[place].connection, side: 0)
        kept[place].exchange = nil
        startWaiting(kept[place].server)
    }

    /// - Returns: whether the exchange has just been given up for silence.
    func timer(_ exchange: Exchange) -> Bool {
        guard exchanges[exchange.fetch] === exchange else { return false }
        let due = exchange.touched + HTTPPool.patience
        guard due <= queue.now else {
            queue.schedule(Event(.fetchTimer, exchange.number), at: due)
            return false
        }
        exchanges[exchange.fetch] = nil
        waiting.removeAll { $0 === exchange }
        end(exchange)
        return true
    }

    private func startWaiting(_ server: Int) {
        guard let place = waiting.firstIndex(where: { $0.server == server }) else { return }
        start(waiting.remove(at: place))
    }

    /// The agent stops: nothing is reported any more.
    func closeAll() {
        for entry in kept { network.close(entry.connection, side: 0, abort: true) }
        kept = []
        waiting = []
        exchanges = [:]
    }
}
