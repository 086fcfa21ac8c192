/// One HTTP request of a player. The shell numbers them.
package struct RequestID: Hashable, Comparable, Sendable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// One connection of a player to the endpoint. The shell numbers them.
package struct ConnectionID: Hashable, Sendable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
}

/// One HTTP exchange with an origin or an edge. The core numbers them.
package struct FetchID: Hashable, Comparable, Sendable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// One connected message channel to a peer. The shell numbers them, inbound and outbound alike.
package struct LinkID: Hashable, Comparable, Sendable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// One attempt to connect to a peer. The core numbers them.
package struct DialID: Hashable, Comparable, Sendable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// A configured tracker: its place in the settings' list.
package struct TrackerID: Hashable, Comparable, Sendable {
    package var value: Int
    package init(_ value: Int) { self.value = value }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// One request to open a stream, made by the command line or the API. The shell numbers them.
package struct OpenID: Hashable, Comparable, Sendable {
    package var value: UInt64
    package init(_ value: UInt64) { self.value = value }
    package static func < (left: Self, right: Self) -> Bool { left.value < right.value }
}

/// An agent's identity: SHA-256 of its public key's SubjectPublicKeyInfo (RFC 5280), proved by the link's handshake.
package struct PeerID: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var digest: Digest
    package init(_ digest: Digest) { self.digest = digest }
    package static func < (left: Self, right: Self) -> Bool { left.digest < right.digest }
    /// The first 12 hexadecimal digits: enough to tell peers apart in a log.
    package var description: String { String(digest.description.prefix(12)) }
}

extension [UInt8] {
    /// The 20 bytes of a hash or name that is kept as numbers.
    init(bigEndian first: UInt64, _ second: UInt64, _ third: UInt32) {
        self.init(unsafeUninitializedCapacity: 20) { buffer, count in
            let raw = UnsafeMutableRawBufferPointer(buffer)
            raw.storeBytes(of: first.bigEndian, as: UInt64.self)
            raw.storeBytes(of: second.bigEndian, toByteOffset: 8, as: UInt64.self)
            raw.storeBytes(of: third.bigEndian, toByteOffset: 16, as: UInt32.self)
            count = 20
        }
    }
}

/// Which agents may share: the first 20 bytes of SHA-256 over `weir1|` and the normalised URL. Also the `info_hash` of
/// trackers (BEP 3), which is why it has 20 bytes.
package struct SwarmID: Hashable, Comparable, Sendable, CustomStringConvertible {
    // Numbers, because links are looked up by swarm for every message.
    private let first: UInt64
    private let second: UInt64
    private let third: UInt32

    package static let byteCount = 20

    /// - Parameter bytes: exactly 20; any other count gives nil.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == SwarmID.byteCount else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { bytes[range].reduce(0) { $0 << 8 | UInt64($1) } }
        first = number(0..<8)
        second = number(8..<16)
        third = UInt32(number(16..<20))
    }

    package var bytes: [UInt8] { Array(bigEndian: first, second, third) }

    package static func < (left: Self, right: Self) -> Bool {
        (left.first, left.second, left.third) < (right.first, right.second, right.third)
    }
    package var description: String { bytes.hexadecimal }
}

/// Where a peer can be dialled: a literal IPv4 or IPv6 address and a TCP port. `--peer` also takes a host name, which
/// the shell resolves at every dial.
package struct PeerAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package static func < (left: Self, right: Self) -> Bool { (left.host, left.port) < (right.host, right.port) }
    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
