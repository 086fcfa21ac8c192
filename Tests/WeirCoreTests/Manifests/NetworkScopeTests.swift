import Testing
import WeirCore

@Suite("Network scope") struct NetworkScopeTests {
    @Test(
        "A host is classified by its literal address",
        arguments: [
            ("127.0.0.1", NetworkScope.loopback), ("127.255.0.1", .loopback), ("0.0.0.0", .loopback),
            ("::1", .loopback),
            ("[::1]", .loopback), ("::", .loopback), ("::ffff:127.0.0.1", .loopback), ("::127.0.0.1", .loopback),
            ("::ffff:7f00:1", .loopback), ("localhost", .loopback), ("LOCALHOST.", .loopback),
            ("a.localhost", .loopback),
            ("169.254.169.254", .linkLocal), ("fe80::1", .linkLocal), ("fe80::1%eth0", .linkLocal),
            ("febf::1", .linkLocal), ("239.1.1.1", .linkLocal), ("ff02::1", .linkLocal),
            ("255.255.255.255", .linkLocal),
            ("10.1.2.3", .privateNetwork), ("172.16.0.1", .privateNetwork), ("172.31.255.255", .privateNetwork),
            ("192.168.1.1", .privateNetwork), ("100.64.0.1", .privateNetwork), ("100.127.255.255", .privateNetwork),
            ("fd00::1", .privateNetwork), ("fc00::1", .privateNetwork), ("::ffff:10.0.0.1", .privateNetwork),
            ("64:ff9b::10.0.0.1", .privateNetwork), ("198.18.0.1", .privateNetwork), ("250.0.0.1", .privateNetwork),
            ("8.8.8.8", .publicNetwork), ("172.32.0.1", .publicNetwork), ("100.128.0.1", .publicNetwork),
            ("2001:db8::1", .publicNetwork), ("::ffff:8.8.8.8", .publicNetwork), ("64:ff9b::808:808", .publicNetwork),
            ("example.com", .name), ("localhost.example.com", .name), ("127.0.0.1.example.com", .name), ("", .name),
        ]
    ) func classifies(host: String, scope: NetworkScope) {
        #expect(NetworkScope(host: host) == scope)
    }

    @Test("Nobody may name a narrower scope than their own") func naming() {
        let widening: [NetworkScope] = [.loopback, .linkLocal, .privateNetwork, .publicNetwork]
        for (low, narrow) in widening.enumerated() {
            for wide in widening[low...] {
                #expect(narrow.mayName(wide))
                #expect(wide.mayName(narrow) == (wide == narrow))
            }
            #expect(narrow.mayName(.name))
            #expect(NetworkScope.name.mayName(narrow) == (narrow == .publicNetwork))
        }
    }

    @Test(
        "Text that is no address is none",
        arguments: [
            "", ".", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.1.1.1", "1.1.1.1 ", "-1.1.1.1", "1..1.1", "0x1.1.1.1", ":",
            ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "1:2:3:4:5:6:7:8::", "::1.2.3",
            "1.2.3.4::", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", "[::1", "::1]", "[1.2.3.4]", "999999999999.1.1.1",
        ]
    ) func noAddress(text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test("Addresses parse to bytes") func addressBytes() {
        #expect(IPAddress("1.2.3.255")?.bytes == [1, 2, 3, 255])
        #expect(IPAddress("1:2:3:4:5:6:7:8")?.bytes == [0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8])
        #expect(IPAddress("2001:DB8::1")?.bytes == [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1])
        #expect(IPAddress("::1.2.3.4")?.bytes == [UInt8](repeating: 0, count: 12) + [1, 2, 3, 4])
        #expect(IPAddress("1::")?.bytes == [0, 1] + [UInt8](repeating: 0, count: 14))
    }

    @Test(
        "A prefix contains its network and nothing else",
        arguments: [
            ("10.0.0.0/8", "10.255.1.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.1.2.3/8", "10.9.9.9", true),
            ("192.168.1.7", "192.168.1.7", true), ("192.168.1.7", "192.168.1.8", false), ("0.0.0.0/0", "8.8.8.8", true),
            ("172.16.0.0/12", "172.31.0.1", true), ("172.16.0.0/12", "172.32.0.1", false),
            ("fe80::/10", "febf::1", true),
            ("fe80::/10", "fec0::1", false), ("::/0", "2001:db8::1", true), ("::/0", "1.2.3.4", false),
            ("10.0.0.0/8", "::ffff:10.0.0.1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
            ("10.0.0.0/8", "host.example.com", false), ("10.0.0.0/8", "", false),
        ]
    ) func prefixes(prefix: String, host: String, contained: Bool) throws {
        #expect(try #require(NetworkPrefix(prefix)).contains(host) == contained)
    }

    @Test(
        "Text that is no CIDR prefix is none",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129", "10.0.0.0/8/8", "10/8", "x",
            "1.1.1.1/99999999999999999999",
        ]
    ) func noPrefix(text: String) {
        #expect(NetworkPrefix(text) == nil)
    }

    @Test("A prefix with impossible numbers contains nothing and does not trap") func impossiblePrefix() {
        #expect(!NetworkPrefix(address: [10, 0, 0, 0], length: 99).contains("10.0.0.1"))
        #expect(!NetworkPrefix(address: [10, 0, 0, 0], length: -1).contains("10.0.0.1"))
        #expect(!NetworkPrefix(address: [], length: 0).contains("10.0.0.1"))
    }
}
