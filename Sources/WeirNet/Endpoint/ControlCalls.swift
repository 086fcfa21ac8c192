import WeirCore

/// The control API: who may call what, and what each call answers.
struct ControlCalls {
    private struct OpenBody: Decodable {
        var url: String
        var swarm: String?
    }

    private struct Opened: Encodable {
        var id: String
        var playbackURL: String
        var statURL: String
        var commandURL: String

        private enum CodingKeys: String, CodingKey {
            case id
            case playbackURL = "playback_url"
            case statURL = "stat_url"
            case commandURL = "command_url"
        }
    }

    private enum Route {
        case stats, metrics, health, sessions
        case session(StreamID)
        case segments(StreamID)
        case peers
        case recordings
        case recording(String)

        /// Whether the call needs the token.
        var isProtected: Bool {
            switch self {
            case .stats, .metrics, .health: false
            case .sessions, .session, .segments, .peers, .recordings, .recording: true
            }
        }

        var methods: [String] {
            switch self {
            case .sessions, .recordings: ["GET", "HEAD", "POST"]
            case .session, .recording: ["GET", "HEAD", "DELETE"]
            case .stats, .metrics, .health, .segments, .peers: ["GET", "HEAD"]
            }
        }

        init?(path: String) {
            let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
            switch parts.count {
            case 1 where parts[0] == "stats": self = .stats
            case 1 where parts[0] == "metrics": self = .metrics
            case 1 where parts[0] == "healthz": self = .health
            case 2 where parts == ["v1", "sessions"]: self = .sessions
            case 2 where parts == ["v1", "peers"]: self = .peers
            case 2 where parts == ["v1", "recordings"]: self = .recordings
            case 3 where parts[0...1] == ["v1", "recordings"] && !parts[2].isEmpty: self = .recording(parts[2])
            case 3 where parts[0...1] == ["v1", "sessions"] && !parts[2].isEmpty: self = .session(StreamID(parts[2]))
            case 4 where parts[0...1] == ["v1", "sessions"] && parts[3] == "segments":
                self = .segments(StreamID(parts[2]))
            default: return nil
            }
        }
    }

    let agent: (any ControlledAgent)?
    let token: String
    let hostRule: HostRule

    func answer(_ call: ControlCall, then reply: @escaping @Sendable (ControlAnswer) -> Void) {
        guard let route = Route(path: call.path) else {
            return reply(
                .error(
                    404,
                    "no such address",
                    hint: "See /stats, /metrics, /healthz, /v1/sessions, /v1/peers, /v1/recordings."
                )
            )
        }
        if let refusal = refusal(of: call, route) { return reply(refusal) }
        guard let agent else {
            return reply(.error(503, "the agent is starting or stopping", hint: "Try again in a second."))
        }
        if case .sessions = route, call.method == "POST" { return open(call, agent, then: reply) }
        if case .recordings = route, call.method == "POST" { return reply(CaptureCalls(agent: agent).start(call)) }
        reply(read(route, method: call.method, agent))
    }

    private func refusal(of call: ControlCall, _ route: Route) -> ControlAnswer? {
        if let origin = call.origin, !hostRule.accepts(origin: origin, localAddress: call.localAddress) {
            return .error(
                403,
                "pages of other sites may not call this",
                hint: "Call it from a program, with the token."
            )
        }
        guard route.methods.contains(call.method) else {
            let allow = route.methods.joined(separator: ", ")
            return .error(405, "\(call.method) is not allowed here", hint: "Use \(allow).", allow: allow)
        }
        guard !route.isProtected || isAuthorised(call.authorization) else {
            var answer = ControlAnswer.error(
                401,
                "the token is missing or wrong",
                hint: "Send the header Authorization: Bearer TOKEN."
            )
            answer.fields.append(HeaderField("www-authenticate", "Bearer"))
            return answer
        }
        return nil
    }

    /// Compares in a time that does not tell how much of a guess was right.
    private func isAuthorised(_ authorization: String?) -> Bool {
        guard !token.isEmpty, let authorization, authorization.lowercased().hasPrefix("bearer ") else { return false }
        let given = Array(authorization.utf8.dropFirst("bearer ".utf8.count))
        let wanted = Array(token.utf8)
        guard given.count == wanted.count else { return false }
        return zip(given, wanted).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private func read(_ route: Route, method: String, _ agent: any ControlledAgent) -> ControlAnswer {
        switch route {
        case .health: return ControlAnswer(text: "ok\n", type: "text/plain; charset=utf-8")
        case .stats: return ControlAnswer(status: 200, json: JSONText.encode(ProcessStatistics(agent.statistics())))
        case .metrics:
            let text = Metrics.text(ProcessStatistics(agent.statistics()))
            return ControlAnswer(text: text, type: "text/plain; version=0.0.4; charset=utf-8")
        case .sessions: return ControlAnswer(status: 200, json: JSONText.encode(agent.sessions()))
        case .peers: return ControlAnswer(status: 200, json: JSONText.encode(agent.peers()))
        case .session(let id):
            guard let report = agent.sessions().first(where: { $0.id == id.text }) else { return unknown(id) }
            guard method == "DELETE" else {
                agent.lookAtMedia(of: report)
                return ControlAnswer(status: 200, json: JSONText.encode(report))
            }
            agent.close(id)
            return ControlAnswer(status: 204, json: [])
        case .recordings, .recording:
            guard case .recording(let id) = route else { return CaptureCalls(agent: agent).list() }
            return CaptureCalls(agent: agent).answer(id, isDeletion: method == "DELETE")
        case .segments(let id):
            guard agent.sessions().contains(where: { $0.id == id.text }) else { return unknown(id) }
            return ControlAnswer(status: 200, json: JSONText.encode(agent.segments(of: id)))
        }
    }

    private func unknown(_ id: StreamID) -> ControlAnswer {
        .error(404, "no such session", hint: "GET /v1/sessions lists them.")
    }

    private func open(
        _ call: ControlCall,
        _ agent: any ControlledAgent,
        then reply: @escaping @Sendable (ControlAnswer) -> Void
    ) {
        guard let body = JSONText.decode(OpenBody.self, from: call.body) else {
            return reply(
                .error(400, "the body is not what is expected", hint: #"Send {"url": "https://…/master.m3u8"}."#)
            )
        }
        let base = "http://\(call.authority ?? "127.0.0.1:\(hostRule.port)")"
        agent.open(StreamRequest(url: body.url, swarmName: body.swarm)) { result in
            switch result {
            case .ready(let id, let path):
                let session = "\(base)/v1/sessions/\(id)"
                let opened = Opened(
                    id: id.text,
                    playbackURL: base + path,
                    statURL: session,
                    commandURL: session
                )
                var answer = ControlAnswer(status: 201, json: JSONText.encode(opened))
                answer.fields.append(HeaderField("location", "/v1/sessions/\(id)"))
                reply(answer)
            case .failed(let failure, let text): reply(.failed(failure, text))
            }
        }
    }
}

extension ControlAnswer {
    fileprivate static func failed(_ failure: OpenFailure, _ text: String) -> ControlAnswer {
        switch failure {
        case .badURL: .error(400, text, hint: "Give the http or https URL of an HLS playlist.")
        case .unreachable: .error(502, text, hint: "Check that the URL opens from this machine.")
        case .notAManifest: .error(422, text, hint: "Give the URL of the playlist, not of a page or a media file.")
        case .refused: .error(503, text, hint: "Close a session first, or raise the limit.")
        }
    }
}
