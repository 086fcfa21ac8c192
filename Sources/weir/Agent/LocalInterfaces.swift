import NIOCore
import WeirCore
import WeirSettings

/// The networks this host is part of.
enum LocalInterfaces {
    /// The subnets of the host's interfaces, as far as their addresses are private (RFC 1918, RFC 4193, link-local,
    /// loopback): on a rented server the subnet's other hosts are strangers.
    static func privateNetworks() -> [NetworkPrefix] {
        let devices = (try? System.enumerateDevices()) ?? []
        var networks: [NetworkPrefix] = []
        for device in devices {
            guard let address = device.address?.ipAddress.flatMap(NetworkPrefix.bytes(ofAddress:)),
                let mask = device.netmask?.ipAddress.flatMap(NetworkPrefix.bytes(ofAddress:)),
                mask.count == address.count, isPrivate(address)
            else { continue }
            let length = mask.reduce(0) { $0 + $1.nonzeroBitCount }
            let network = NetworkPrefix(address: zip(address, mask).map { $0 & $1 }, length: length)
            if !networks.contains(network) { networks.append(network) }
        }
        return networks
    }

    static func isPrivate(_ address: [UInt8]) -> Bool {
        if address.count == 4 {
            switch (address[0], address[1]) {
            case (10, _), (127, _), (192, 168), (169, 254), (172, 16...31): return true
            default: return false
            }
        }
        guard address.count == 16 else { return false }
        let isLoopback = address.dropLast().allSatisfy { $0 == 0 } && address[15] == 1
        return isLoopback || address[0] & 0xfe == 0xfc || (address[0] == 0xfe && address[1] & 0xc0 == 0x80)
    }
}
