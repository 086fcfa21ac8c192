import Testing
import WeirCore

@testable import WeirSettings

@Suite("Quantities")
struct QuantityTests {
    @Test(
        "A time is read with or without a unit",
        arguments: [("10", 10), ("10s", 10), ("500ms", 0.5), ("1.5", 1.5), ("2m", 120), ("1 h", 3600), ("0", 0)]
    )
    func time(text: String, seconds: Double) {
        #expect(Quantity.parse(text, Quantity.time) == seconds)
    }

    @Test(
        "A size is read with or without a unit",
        arguments: [("48", 50_331_648), ("64MiB", 67_108_864), ("1GiB", 1_073_741_824), ("10MB", 10_000_000)]
    )
    func size(text: String, bytes: Double) {
        #expect(Quantity.parse(text, Quantity.size) == bytes)
    }

    @Test(
        "A rate is read with or without a unit",
        arguments: [("8", 1000), ("4Mbit", 500_000), ("4Mbit/s", 500_000), ("500kbit", 62_500), ("0", 0)]
    )
    func rate(text: String, bytesPerSecond: Double) {
        #expect(Quantity.parse(text, Quantity.rate) == bytesPerSecond)
    }

    @Test(
        "What is no quantity is refused",
        arguments: ["", "s", "-1", "1x", "1e9", "nan", "inf", "1.2.3", "10 MiBs", "٣", "99999999999999999999"]
    )
    func refused(text: String) {
        #expect(Quantity.parse(text, Quantity.time) == nil)
    }
}

@Suite("Shell words")
struct ShellWordsTests {
    @Test(
        "Words are split as a shell would, and nothing else is done",
        arguments: [
            ("mpv {url}", ["mpv", "{url}"]),
            ("  mpv   --vo=null  '{url}' ", ["mpv", "--vo=null", "{url}"]),
            (#""/opt/my player/run" --title="a \"b\"" {url}"#, ["/opt/my player/run", "--title=a \"b\"", "{url}"]),
            (#"a\ b '' "c\d""#, ["a b", "", #"c\d"#]),
            ("sh $(rm) `x` ; | &", ["sh", "$(rm)", "`x`", ";", "|", "&"]),
            ("", []),
        ]
    )
    func split(text: String, words: [String]) {
        #expect(shellWords(text) == words)
    }

    @Test("An open quote is refused", arguments: ["'a", "\"a", "a\\"])
    func open(text: String) {
        #expect(shellWords(text) == nil)
    }
}

@Suite("Addresses")
struct AddressTextTests {
    @Test(
        "HOST:PORT is read",
        arguments: [
            ("127.0.0.1:80", "127.0.0.1", 80), ("[::1]:8090", "::1", 8090), ("box.lan:1", "box.lan", 1),
            (":5", "127.0.0.1", 5), ("5", "127.0.0.1", 5),
        ]
    )
    func hostAndPort(text: String, host: String, port: Int) {
        #expect(
            AddressText.hostAndPort(text, defaultHost: "127.0.0.1") == PeerAddress(host: host, port: port)
        )
    }

    @Test(
        "What is no HOST:PORT is refused",
        arguments: [
            "", "a", "a:", "a:65536", "a:-1", "a:+1", "[::1]", "[::1]8", "::1:80", "a b:1", "http://a:1", "[a]:1",
        ]
    )
    func refused(text: String) {
        #expect(AddressText.hostAndPort(text, defaultHost: "127.0.0.1") == nil)
    }

    @Test(
        "The host of a URL is found",
        arguments: [
            ("ws://127.0.0.1:8000/announce", "127.0.0.1"), ("wss://tracker.example", "tracker.example"),
            ("ws://[fd00::1]:80/", "fd00::1"), ("ws://me:secret@host:1/x@y", "host"), ("ws://host?x", "host"),
            ("ws://", ""), ("nothing", ""),
        ]
    )
    func hostOfURL(url: String, host: String) {
        #expect(AddressText.host(ofURL: url) == host)
    }

    @Test("Networks are read in CIDR notation")
    func networks() {
        #expect(AddressText.network("10.0.0.0/8") == NetworkPrefix(address: [10, 0, 0, 0], length: 8))
        #expect(AddressText.network("192.168.1.5") == NetworkPrefix(address: [192, 168, 1, 5], length: 32))
        #expect(AddressText.network("fd00::/8")?.length == 8)
        for text in ["10.0.0.0/33", "fd00::/129", "10.0.0/8", "x/8", "10.0.0.0/", "10.0.0.0/8/8", ""] {
            #expect(AddressText.network(text) == nil, "\(text)")
        }
    }
}
