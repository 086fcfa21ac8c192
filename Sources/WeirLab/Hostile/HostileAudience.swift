import AsyncHTTPClient
import NIOCore
import NIOHTTP1
package import WeirCore

/// Somebody who asks an agent for everything that it makes of bad media.
package struct HostileAudience: Sendable {
    package struct Answer: Sendable {
        package var status: Int
        package var bytes: Int
    }

    private static let mostBytes = 16 * 1024 * 1024

    package let agent: AgentProcess
    /// `http://127.0.0.1:PORT` of the streams.
    package let origin: String

    package init(_ agent: AgentProcess, origin: String) {
        self.agent = agent
        self.origin = origin
    }

    private var endpoint: String { String(agent.statisticsURL.dropLast("/stats".count)) }

    /// Opens a stream, and asks for it in a container, for its picture, and for what its media are.
    /// - Returns: the answers, by what was asked for; nothing when the stream could not be opened.
    package func watch(_ path: String, _ format: ContinuousFormat) async throws -> [String: Answer] {
        let opened = try await exchange(.POST, "/v1/sessions", body: "{\"url\": \"\(origin)\(path)\"}")
        guard let playback = opened.text.split(separator: "\"").first(where: { $0.contains("/s/") }) else { return [:] }
        guard let stream = playback.split(separator: "/").dropFirst(3).first else { return [:] }
        var answers: [String: Answer] = [:]
        for name in ["live.\(format.rawValue)", "preview.jpg"] {
            answers[name] = try await exchange(.GET, "/s/\(stream)/\(name)").answer
        }
        answers["session"] = try await exchange(.GET, "/v1/sessions/\(stream)").answer
        _ = try await exchange(.DELETE, "/v1/sessions/\(stream)")
        return answers
    }

    private func exchange(
        _ method: HTTPMethod,
        _ path: String,
        body: String? = nil
    ) async throws -> (answer: Answer, text: String) {
        var request = HTTPClientRequest(url: endpoint + path)
        request.method = method
        request.headers.add(name: "Authorization", value: "Bearer \(agent.token)")
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(90))
        var bytes = ByteBuffer()
        do {
            for try await part in response.body where bytes.readableBytes < HostileAudience.mostBytes {
                bytes.writeImmutableBuffer(part)
            }
        } catch {
            // What cannot go on is cut off, so that nobody takes it for whole.
        }
        return (Answer(status: Int(response.status.code), bytes: bytes.readableBytes), String(buffer: bytes))
    }
}
