package import WeirCore

/// Where simulated agents can be dialled: 10.x.y.z, where x.y counts networks (/24) and z the hosts in each.
package struct AgentAddresses: Sendable {
    private static let port = 7000
    /// Networks of which 10.0.0.0/8 has room; who comes after the last one joins the first ones.
    private static let networks = 1 << 16

    private let agentsPerNetwork: Int
    private let agentsOnFirstHost: Int

    /// - Parameters:
    ///   - agentsPerNetwork: neighbours by number share a network; 1: everybody has one of its own, as households have.
    ///   - agentsOnFirstHost: the first so many are one host under many names, each with a port of its own.
    package init(agentsPerNetwork: Int, agentsOnFirstHost: Int = 1) {
        self.agentsPerNetwork = min(max(1, agentsPerNetwork), 254)
        self.agentsOnFirstHost = min(max(1, agentsOnFirstHost), 1 << 15)
    }

    package func address(of agent: Int) -> PeerAddress {
        let number = max(0, agent - agentsOnFirstHost + 1)
        let network = number / agentsPerNetwork
        let round = network / AgentAddresses.networks
        let host = 1 + round * agentsPerNetwork + number % agentsPerNetwork
        precondition(host <= 254, "more agents than addresses")
        return PeerAddress(
            host: "10.\(network >> 8 & 255).\(network & 255).\(host)",
            port: AgentAddresses.port + (agent < agentsOnFirstHost ? agent : 0)
        )
    }

    /// The agent whose address this would be, whether or not there is one.
    package func agent(at address: PeerAddress) -> Int? {
        let parts = address.host.split(separator: ".").compactMap { UInt8($0) }.map { Int($0) }
        let port = address.port - AgentAddresses.port
        guard parts.count == 4, parts[0] == 10, parts[3] > 0, port >= 0 else { return nil }
        let (round, place) = (parts[3] - 1).quotientAndRemainder(dividingBy: agentsPerNetwork)
        let network = round * AgentAddresses.networks + parts[1] << 8 + parts[2]
        let number = network * agentsPerNetwork + place
        if number == 0 { return port < agentsOnFirstHost ? port : nil }
        return port == 0 ? number + agentsOnFirstHost - 1 : nil
    }
}
