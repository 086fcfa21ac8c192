import Testing
import WeirCore

@Suite("F09 redirects") struct RedirectRuleTests {
    private func rule(_ url: String, address: String? = nil) throws -> RedirectRule {
        RedirectRule(origin: try #require(WebURL(url)), address: address)
    }

    private func isFollowed(_ decision: RedirectRule.Decision) -> Bool {
        if case .follow = decision { return true }
        return false
    }

    @Test("A redirect is resolved against the URL that gave it", arguments: [301, 302, 303, 307, 308])
    func follows(status: Int) throws {
        var rule = try rule("http://example.com/a/b.m3u8?x=1")
        #expect(
            rule.follow(status: status, location: "../c.m3u8?y=2#z")
                == .follow(try #require(WebURL("http://example.com/c.m3u8?y=2")))
        )
        #expect(
            rule.follow(status: status, location: "https://cdn.example.net/d/")
                == .follow(try #require(WebURL("https://cdn.example.net/d/")))
        )
        #expect(
            rule.follow(status: status, location: "e") == .follow(try #require(WebURL("https://cdn.example.net/d/e")))
        )
    }

    @Test("F09 A redirect loop is refused") func loop() throws {
        var rule = try rule("http://example.com/a")
        #expect(isFollowed(rule.follow(status: 302, location: "/b")))
        #expect(rule.follow(status: 302, location: "/a") == .refuse("a redirect loop"))
        #expect(rule.follow(status: 302, location: "") == .refuse("a redirect loop"))
    }

    @Test("F09 Five redirects are followed, a sixth is not") func many() throws {
        var rule = try rule("http://example.com/0")
        for count in 1...RedirectRule.maximumRedirects {
            #expect(isFollowed(rule.follow(status: 302, location: "/\(count)")))
        }
        #expect(rule.follow(status: 302, location: "/6") == .refuse("more than 5 redirects"))
    }

    @Test("F09 https never falls to http") func crossScheme() throws {
        var rule = try rule("https://example.com/a")
        #expect(rule.follow(status: 302, location: "http://example.com/a") == .refuse("a redirect from https to http"))
        #expect(isFollowed(rule.follow(status: 302, location: "//example.com/b")))
    }

    @Test(
        "F09 A redirect to a narrower scope is refused",
        arguments: [
            ("http://example.com/", "http://127.0.0.1/"), ("http://example.com/", "http://localhost:631/"),
            ("http://example.com/", "http://[::ffff:10.0.0.1]/"),
            ("http://example.com/", "http://169.254.169.254/meta"),
            ("http://8.8.8.8/", "http://192.168.0.1/"), ("http://192.168.0.1/", "http://127.0.0.1/"),
            ("http://10.0.0.1/", "http://169.254.1.1/"), ("http://[2001:db8::1]/", "http://[fd00::1]/"),
        ]
    ) func narrower(origin: String, target: String) throws {
        var rule = try rule(origin)
        #expect(!isFollowed(rule.follow(status: 302, location: target)))
    }

    @Test(
        "A redirect to the same or a wider scope is followed",
        arguments: [
            ("http://127.0.0.1/", "http://127.0.0.1:81/"), ("http://127.0.0.1/", "http://192.168.0.1/"),
            ("http://192.168.0.1/", "http://10.0.0.1/"), ("http://192.168.0.1/", "http://8.8.8.8/"),
            ("http://192.168.0.1/", "http://example.com/"), ("http://8.8.8.8/", "http://example.com/"),
        ]
    ) func wider(origin: String, target: String) throws {
        var rule = try rule(origin)
        #expect(isFollowed(rule.follow(status: 302, location: target)))
    }

    @Test("F09 A name that resolves into a narrower scope is refused") func rebinding() throws {
        var rule = try rule("http://example.com/")
        #expect(rule.refusal(resolved: "93.184.216.34") == nil)
        #expect(isFollowed(rule.follow(status: 302, location: "http://evil.example.net/")))
        #expect(rule.refusal(resolved: "127.0.0.1") == "a redirect from a public address to this machine")
        #expect(rule.refusal(resolved: "::ffff:192.168.1.1") != nil)
        #expect(rule.refusal(resolved: "8.8.8.8") == nil)
    }

    @Test("An origin at home may redirect within the home, by name too") func home() throws {
        var rule = try rule("http://nas.home/", address: "192.168.1.5")
        #expect(isFollowed(rule.follow(status: 302, location: "http://192.168.1.6/")))
        #expect(isFollowed(rule.follow(status: 302, location: "http://tv.home/")))
        #expect(rule.refusal(resolved: "192.168.1.7") == nil)
        #expect(!isFollowed(rule.follow(status: 302, location: "http://127.0.0.1/")))
    }

    @Test("F09 A public hop cannot send a chain from home back home") func publicHop() throws {
        var rule = try rule("http://192.168.1.5/")
        #expect(isFollowed(rule.follow(status: 302, location: "http://8.8.8.8/")))
        #expect(!isFollowed(rule.follow(status: 302, location: "http://192.168.1.6/")))
    }

    @Test("A redirect that says nothing usable is refused") func unusable() throws {
        var rule = try rule("http://example.com/")
        #expect(rule.follow(status: 302, location: nil) == .refuse("a redirect without a Location"))
        #expect(rule.follow(status: 304, location: "/x") == .refuse("status 304 is no redirect"))
        #expect(!isFollowed(rule.follow(status: 302, location: "file:///etc/passwd")))
        #expect(!isFollowed(rule.follow(status: 302, location: "/a\r\nSet-Cookie: x")))
    }
}
