import FoundationEssentials
import NIOCore
import Testing
import WeirCore

@testable import WeirNet

@Suite("Endpoint: control calls", .timeLimit(.minutes(1)))
struct ControlTests {
    private func call(
        _ scripted: ScriptedEndpoint,
        _ method: String,
        _ path: String,
        token: String? = "secret",
        body: String = ""
    ) async throws -> (status: Int, head: String, body: String) {
        let authorization = token.map { "Authorization: Bearer \($0)\r\n" } ?? ""
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        let answer = try await RawConnection.exchange(
            port: scripted.port,
            "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(scripted.port)\r\n\(authorization)\(length)Connection: close\r\n\r\n\(body)"
        )
        let parts = answer.split(separator: "\r\n\r\n", maxSplits: 1).map(String.init)
        let status = Int(answer.split(separator: " ").dropFirst().first ?? "") ?? 0
        return (status, parts.first ?? "", parts.count > 1 ? parts[1] : "")
    }

    @Test("POST /v1/sessions opens a stream and tells where it plays")
    func open() async throws {
        let scripted = try await ScriptedEndpoint.start()
        let answer = try await call(
            scripted,
            "POST",
            "/v1/sessions",
            body: #"{"url": "https://o.example/a.m3u8?t=1", "swarm": "s"}"#
        )
        #expect(answer.status == 201)
        let base = "http://127.0.0.1:\(scripted.port)"
        #expect(
            answer.body == """
                {"command_url":"\(base)/v1/sessions/abc","id":"abc","playback_url":"\(base)/s/abc/index.m3u8",\
                "stat_url":"\(base)/v1/sessions/abc"}

                """
        )
        let opened = try await scripted.loop.submit { scripted.agent.opened.map { ($0.url, $0.swarmName) } }.get()
        #expect(opened.count == 1)
        #expect(opened[0].0 == "https://o.example/a.m3u8?t=1")
        #expect(opened[0].1 == "s")
        try await scripted.stop()
    }

    @Test(
        "A stream that cannot be opened is an error with a hint",
        arguments: [
            (OpenFailure.badURL, 400), (.unreachable, 502), (.notAManifest, 422), (.refused, 503),
        ]
    )
    func openFails(failure: OpenFailure, status: Int) async throws {
        let scripted = try await ScriptedEndpoint.start()
        try await scripted.loop.submit { scripted.agent.result = .failed(failure, "it is \"so\"") }.get()
        let answer = try await call(scripted, "POST", "/v1/sessions", body: #"{"url": "x"}"#)
        #expect(answer.status == status)
        #expect(answer.body.contains(#""error":"it is \"so\"""#))
        #expect(answer.body.contains(#""hint":""#))
        try await scripted.stop()
    }

    @Test(
        "A body that is no such object is refused",
        arguments: ["", "{", "[]", #"{"url": 1}"#, #"{"u": "x"}"#, "\u{0}"]
    )
    func badBody(body: String) async throws {
        let scripted = try await ScriptedEndpoint.start()
        let answer = try await call(scripted, "POST", "/v1/sessions", body: body)
        #expect(answer.status == 400)
        try await scripted.stop()
    }

    @Test("Without the token /v1 is closed; /stats, /metrics and /healthz are open")
    func token() async throws {
        let scripted = try await ScriptedEndpoint.start()
        for token in [nil, "", "secre", "secrets", "SECRET"] {
            for (method, path) in [
                ("GET", "/v1/sessions"), ("POST", "/v1/sessions"), ("DELETE", "/v1/sessions/abc"), ("GET", "/v1/peers"),
                ("GET", "/v1/sessions/abc/segments"),
            ] {
                let answer = try await call(scripted, method, path, token: token)
                #expect(answer.status == 401, "\(method) \(path) \(token ?? "-")")
                #expect(answer.head.contains("www-authenticate: Bearer"))
            }
        }
        for path in ["/stats", "/metrics", "/healthz"] {
            #expect(try await call(scripted, "GET", path, token: nil).status == 200)
        }
        let touched = try await scripted.loop.submit { scripted.agent.opened.count + scripted.agent.closed.count }.get()
        #expect(touched == 0)
        try await scripted.stop()
    }

    @Test("An endpoint without a token accepts none")
    func noToken() async throws {
        let scripted = try await ScriptedEndpoint.start(settings: { $0 = EndpointSettings(token: "") })
        #expect(try await call(scripted, "GET", "/v1/sessions", token: "").status == 401)
        try await scripted.stop()
    }

    @Test("Unknown addresses get 404, wrong methods 405 with Allow")
    func wrong() async throws {
        let scripted = try await ScriptedEndpoint.start()
        for path in [
            "/", "/v1", "/v2/sessions", "/v1/sessions/", "/v1/sessions/nope", "/statsx", "/s", "/v1/sessions/abc/x",
        ] {
            #expect(try await call(scripted, "GET", path).status == 404, "\(path)")
        }
        let put = try await call(scripted, "PUT", "/v1/sessions")
        #expect(put.status == 405)
        #expect(put.head.contains("allow: GET, HEAD, POST"))
        #expect(try await call(scripted, "POST", "/stats").status == 405)
        try await scripted.stop()
    }

    @Test("Sessions are listed, shown and closed")
    func sessions() async throws {
        let scripted = try await ScriptedEndpoint.start()
        let list = try await call(scripted, "GET", "/v1/sessions")
        #expect(list.body.hasPrefix(#"[{"buffer_seconds":4"#), "\(list.body)")
        #expect(try await call(scripted, "GET", "/v1/sessions/abc").body.contains(#""id":"abc""#))
        #expect(try await call(scripted, "GET", "/v1/sessions/abc/segments").body == "[]\n")
        #expect(try await call(scripted, "GET", "/v1/peers").body == "[]\n")
        let delete = try await call(scripted, "DELETE", "/v1/sessions/abc")
        #expect(delete.status == 204)
        #expect(delete.body.isEmpty)
        let closed = try await scripted.loop.submit { scripted.agent.closed }.get()
        #expect(closed == [StreamID("abc")])
        try await scripted.stop()
    }

    @Test("/stats and /metrics tell the same numbers, with the process's memory")
    func numbers() async throws {
        let scripted = try await ScriptedEndpoint.start()
        let stats = try await call(scripted, "GET", "/stats")
        let object = try #require(
            try JSONDecoder().decode([String: Double].self, from: Data(stats.body.utf8)) as [String: Double]?
        )
        #expect(object["delivered_bytes"] == 1000)
        #expect(object["offload_ratio"] == 0.75)
        #expect(object["rss_bytes"] ?? 0 > 1_000_000)
        #expect(object["rss_anon_bytes"] ?? 0 > 100_000)
        let metrics = try await call(scripted, "GET", "/metrics")
        #expect(metrics.head.contains("text/plain; version=0.0.4"))
        for name in object.keys {
            let lines = metrics.body.split(separator: "\n").filter {
                $0.hasPrefix("weir_\(name) ") || $0.hasPrefix("weir_\(name)_total ")
            }
            #expect(lines.count == 1, "\(name)")
        }
        #expect(metrics.body.contains("# TYPE weir_delivered_bytes_total counter\nweir_delivered_bytes_total 1000\n"))
        #expect(metrics.body.contains("\nweir_offload_ratio 0.75\n"))
        let head = try await call(scripted, "HEAD", "/stats")
        #expect(head.body.isEmpty)
        #expect(head.status == 200)
        try await scripted.stop()
    }
}

@Suite("Endpoint: small parts")
struct EndpointPartsTests {
    @Test(
        "Dates are IMF-fixdate",
        arguments: [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        ]
    )
    func date(seconds: Int64, text: String) {
        #expect(HTTPDate.format(seconds) == text)
    }

    @Test("Dates outside their range are clamped", arguments: [Int64.min, -1, Int64.max])
    func clampedDate(seconds: Int64) {
        #expect(HTTPDate.format(seconds).hasSuffix(" GMT"))
    }

    @Test("An endpoint on all addresses answers for the one that a connection came to, and no other")
    func localAddress() {
        let rule = HostRule(extraHosts: ["tv.lan", "proxy.lan:443"], listenHost: "0.0.0.0", port: 8080)
        #expect(rule.accepts(authority: "192.168.1.5:8080", localAddress: "192.168.1.5"))
        #expect(!rule.accepts(authority: "192.168.1.6:8080", localAddress: "192.168.1.5"))
        #expect(rule.accepts(authority: "[fd00::5]:8080", localAddress: "fd00::5"))
        #expect(rule.accepts(authority: "TV.lan:8080", localAddress: nil))
        #expect(rule.accepts(authority: "proxy.lan:443", localAddress: nil))
        #expect(!rule.accepts(authority: "proxy.lan:8080", localAddress: nil))
        #expect(!rule.accepts(authority: "[localhost]:8080", localAddress: nil))
        #expect(
            HostRule(extraHosts: [], listenHost: "127.0.0.1", port: 80).accepts(
                authority: "localhost",
                localAddress: nil
            )
        )
    }

    @Test("Memory is read from what the kernel writes, and garbage is nothing")
    func memory() {
        let memory = ProcessMemory(status: "Name:\tweir\nVmRSS:\t   12345 kB\nRssAnon:\t     678 kB\nRssFile:\t 9 kB\n")
        #expect(memory.residentBytes == 12345 * 1024)
        #expect(memory.anonymousBytes == 678 * 1024)
        #expect(ProcessMemory(status: "VmRSS: x kB\nVmRSS:\n").residentBytes == 0)
        #expect(ProcessMemory.now().residentBytes > 0)
    }
}
