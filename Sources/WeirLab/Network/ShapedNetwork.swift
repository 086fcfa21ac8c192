#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Hosts behind access links, each in a network namespace of its own, joined by a router that delays.
///
/// ```
/// host 0 ── eth0 tbf (uplink) ══ tbf (downlink) h0 ─┐
///                                                   router: every packet once through the delaying device
/// host 1 ── eth0 tbf (uplink) ══ tbf (downlink) h1 ─┘
/// ```
/// Rates count IP packets: the kernel's token buckets count fourteen bytes of Ethernet more.
package final class ShapedNetwork: Sendable {
    /// An access link in Mbit/s.
    package struct AccessLink: Sendable {
        package var uplink: Double
        package var downlink: Double
        /// Seconds to every other host and back, in place of the network's; not shorter than that.
        package var roundTrip: Double?

        package init(uplink: Double, downlink: Double, roundTrip: Double? = nil) {
            self.uplink = uplink
            self.downlink = downlink
            self.roundTrip = roundTrip
        }
    }

    private let hosts: [NetworkNamespace]
    private let router: NetworkNamespace
    private let delays: [PacketDelay]

    private init(hosts: [NetworkNamespace], router: NetworkNamespace, delays: [PacketDelay]) {
        self.hosts = hosts
        self.router = router
        self.delays = delays
    }

    /// - Parameters:
    ///   - roundTrip: seconds between any two hosts.
    ///   - queue: seconds that each direction of a link holds before it drops.
    /// - Throws: `LabError` without the rights, the device or the programs (`ip`, `tc`).
    package static func start(
        _ links: [AccessLink],
        roundTrip: Double,
        queue: Double
    ) async throws -> ShapedNetwork {
        let router = try NetworkNamespace()
        var delays = [try router.inside { try PacketDelay(device: "delay", seconds: roundTrip / 2) }]
        do {
            try router.set("ipv4/ip_forward", "1")
            for scope in ["all", "default"] { try router.set("ipv4/conf/\(scope)/rp_filter", "0") }
            try await router.run("ip link set delay txqueuelen 10000 up")
            try await router.run("ip route add default dev delay table 100")
            var hosts: [NetworkNamespace] = []
            for (number, link) in links.enumerated() {
                hosts.append(try await addHost(number, link, queue: queue, to: router))
            }
            for (number, link) in links.enumerated() {
                guard let own = link.roundTrip else { continue }
                delays.append(try router.inside { try PacketDelay(device: "far\(number)", seconds: own / 2) })
                try await leadThrough("far\(number)", number, among: links.count, in: router)
            }
            return ShapedNetwork(hosts: hosts, router: router, delays: delays)
        } catch {
            for delay in delays { delay.stop() }
            throw error
        }
    }

    /// What comes from a host and what goes to it takes a device of its own, before any other rule.
    private static func leadThrough(
        _ device: String,
        _ host: Int,
        among hosts: Int,
        in router: NetworkNamespace
    ) async throws {
        let table = 200 + host
        try await router.run("ip link set \(device) txqueuelen 10000 up")
        try await router.run("ip route add default dev \(device) table \(table)")
        for other in 0..<hosts where other != host {
            try await router.run("ip rule add pref 50 iif h\(other) to 10.7.\(host).2 lookup \(table)")
        }
        try await router.run("ip rule add pref 50 iif h\(host) lookup \(table)")
    }

    private static func addHost(
        _ number: Int,
        _ link: AccessLink,
        queue: Double,
        to router: NetworkNamespace
    ) async throws -> NetworkNamespace {
        let host = try NetworkNamespace()
        // What one run learnt of a path, the next must not know.
        try host.set("ipv4/tcp_no_metrics_save", "1")
        try await router.run("ip link add h\(number) type veth peer name eth0 netns \(host.path)")
        try await router.run("ip addr add 10.7.\(number).1/24 dev h\(number)")
        try await router.run("ip link set h\(number) up")
        // What comes from a host takes the way through the device; what comes from the device, the usual one.
        try await router.run("ip rule add iif h\(number) lookup 100")
        try await router.run("tc qdisc add dev h\(number) root \(bucket(link.downlink, queue))")
        try await host.run("ip addr add 10.7.\(number).2/24 dev eth0")
        try await host.run("ip link set eth0 up")
        try await host.run("ip link set lo up")
        try await host.run("ip route add default via 10.7.\(number).1")
        try await host.run("tc qdisc add dev eth0 root \(bucket(link.uplink, queue))")
        return host
    }

    /// tc-tbf(8): one packet at a time, so that a rate drips instead of bursting.
    private static func bucket(_ megabits: Double, _ queue: Double) -> String {
        let rate = Int(megabits * 1e6 * 1514 / 1500)
        return "tbf rate \(rate)bit burst 1600 latency \(Int(queue * 1000))ms"
    }

    package func address(of host: Int) -> String { "10.7.\(host).2" }

    package func host(_ number: Int) -> LabHost {
        LabHost(address: address(of: number), namespace: hosts[number])
    }

    /// A socket that belongs to this host.
    package func socket(at host: Int, congestion: String? = nil) throws -> BlockingSocket {
        try hosts[host].inside { try BlockingSocket(congestion: congestion) }
    }

    /// Sockets that still exist keep their host's network.
    package func stop() {
        for delay in delays { delay.stop() }
    }
}
