import NIOCore
import WeirNet

/// A WebSocket client made of bytes alone, so that it can break every rule.
final class WebSocketTestClient {
    struct Message: Equatable {
        var opcode: UInt8
        var payload: [UInt8]
        var text: String { String(decoding: payload, as: UTF8.self) }
        /// Of a close frame.
        var code: Int? { payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil }
    }

    struct Closed: Error {}

    let raw: RawClient
    private var received: [UInt8] = []

    init(port: Int, target: String = "/") async throws {
        raw = try await RawClient.plain(port)
        let head = [
            "GET \(target) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Upgrade: websocket", "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
            "Origin: https://viewer.example",
            "", "",
        ]
        try await raw.say(Array(head.joined(separator: "\r\n").utf8))
        let answer = try await take(until: Array("\r\n\r\n".utf8))
        guard answer.hasPrefix("HTTP/1.1 101"), answer.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") else { throw Closed() }
    }

    private func more() async throws {
        guard let bytes = await raw.next() else { throw Closed() }
        received += bytes
    }

    private func take(until end: [UInt8]) async throws -> String {
        while true {
            for start in received.indices where received[start...].starts(with: end) {
                let text = String(decoding: received[..<start], as: UTF8.self)
                received.removeFirst(start + end.count)
                return text
            }
            try await more()
        }
    }

    /// The next frame; servers' are whole and unmasked.
    func next() async throws -> Message {
        while true {
            if received.count >= 2 {
                let short = Int(received[1] & 0x7f)
                let header = short < 126 ? 2 : short == 126 ? 4 : 10
                if received.count >= header {
                    let length = short < 126 ? short : received[2..<header].reduce(0) { $0 << 8 | Int($1) }
                    if received.count >= header + length {
                        let message = Message(
                            opcode: received[0] & 15,
                            payload: Array(received[header..<header + length])
                        )
                        received.removeFirst(header + length)
                        return message
                    }
                }
            }
            try await more()
        }
    }

    func send(_ text: String) async throws { try await frame(opcode: 1, Array(text.utf8)) }

    func frame(opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, masked: Bool = true) async throws {
        var bytes: [UInt8] = [opcode | (isFinal ? 0x80 : 0)]
        let mask: UInt8 = masked ? 0x80 : 0
        switch payload.count {
        case 0..<126: bytes.append(mask | UInt8(payload.count))
        case 126..<65_536: bytes += [mask | 126, UInt8(payload.count >> 8), UInt8(payload.count & 255)]
        default: bytes += [mask | 127] + (0..<8).reversed().map { UInt8(payload.count >> ($0 * 8) & 255) }
        }
        let key: [UInt8] = [1, 2, 3, 4]
        if masked {
            bytes += key
            bytes += payload.enumerated().map { $0.element ^ key[$0.offset & 3] }
        } else {
            bytes += payload
        }
        try await raw.say(bytes)
    }
}
