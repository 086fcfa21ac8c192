import WeirCore

/// The control API's calls for recordings.
struct CaptureCalls {
    private struct Body: Decodable {
        var url: String
        var swarm: String?
        var file: String
        /// Seconds.
        var duration: Double?
        /// ISO 8601.
        var at: String?
    }

    private static let hint =
        #"Send {"url": "https://…/master.m3u8", "file": "name.mkv"}, and "duration" and "at" as needed."#

    let agent: any ControlledAgent

    func list() -> ControlAnswer {
        ControlAnswer(status: 200, json: JSONText.encode(agent.captures?.reports ?? []))
    }

    func answer(_ id: String, isDeletion: Bool) -> ControlAnswer {
        guard let captures = agent.captures, let report = captures.reports.first(where: { $0.id == id }) else {
            return .error(404, "no such recording", hint: "GET /v1/recordings lists them.")
        }
        guard isDeletion else { return ControlAnswer(status: 200, json: JSONText.encode(report)) }
        _ = captures.stop(id)
        return ControlAnswer(status: 204, json: [])
    }

    func start(_ call: ControlCall) -> ControlAnswer {
        guard let captures = agent.captures, let directory = captures.settings.directory else {
            return .error(501, "there is no place for recordings", hint: "Set recording_directory.")
        }
        guard let body = JSONText.decode(Body.self, from: call.body) else {
            return .error(400, "the body is not what is expected", hint: CaptureCalls.hint)
        }
        // A name, so that who has the token does not have the disk.
        guard !body.file.contains("/"), !body.file.hasPrefix("."), !body.file.utf8.contains(0),
            var request = CaptureRequest(url: body.url, path: directory + "/" + body.file)
        else {
            return .error(400, "the file's name will not do", hint: "Give a name that ends in .ts, .flv, .mp4 or .mkv.")
        }
        request.swarm = body.swarm
        if let duration = body.duration {
            guard duration > 0, duration <= 30 * 86_400 else {
                return .error(400, "the duration will not do", hint: "Give seconds, a month at most.")
            }
            request.length = .seconds(duration)
        }
        if let at = body.at {
            guard let begin = WallTime(dateTime: at) else {
                return .error(400, "the time is none", hint: "Give it like 2026-12-24T20:00:00Z.")
            }
            request.begin = begin
        }
        do throws(Captures.Refusal) {
            let report = try captures.start(request, for: agent)
            var answer = ControlAnswer(status: 201, json: JSONText.encode(report))
            answer.fields.append(HeaderField("location", "/v1/recordings/\(report.id)"))
            return answer
        } catch {
            return .refused(error)
        }
    }
}

extension ControlAnswer {
    fileprivate static func refused(_ refusal: Captures.Refusal) -> ControlAnswer {
        switch refusal {
        case .busy(let most): .error(503, "\(most) recordings are going on", hint: "End one first.")
        case .taken: .error(409, "the file is being written already", hint: "Choose another name.")
        case .missing(let lack): .error(501, lack, hint: "Install weir-media beside weir, or set media_program.")
        }
    }
}
