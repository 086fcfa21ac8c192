import NIOCore
import NIOHTTP1

/// One connection to a lab origin: answers its requests one after another, with the faults in force.
struct OriginConnection: Sendable {
    typealias Channel = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    /// Body bytes are written in pieces of this size, each counted when the kernel has it.
    private static let pieceBytes = 64 * 1024

    let channel: Channel
    let number: Int
    let shared: OriginShared

    /// Ends the connection on purpose.
    private struct Cut: Error {}

    func run() async {
        try? await channel.executeThenClose { inbound, _ in
            for try await part in inbound {
                guard case .head(let head) = part else { continue }
                try await answer(head)
            }
        }
    }

    private func answer(_ head: HTTPRequestHead) async throws {
        let path = String(head.uri.prefix { $0 != "?" })
        let query = path.count < head.uri.count ? String(head.uri.dropFirst(path.count + 1)) : nil
        var entry = AccessLog.Entry(
            time: 0,
            begun: shared.log.now,
            method: head.method.rawValue,
            path: path,
            query: query,
            status: 0,
            bytes: 0,
            range: head.headers.first(name: "range"),
            connection: number
        )
        defer {
            entry.time = shared.log.now
            shared.log.append(entry)
        }
        let fault = shared.takeFault(path: path)
        switch fault {
        case .silent:
            // Until the client gives up or the origin stops: cancellation ends the sleep.
            while channel.channel.isActive { try await Task.sleep(for: .milliseconds(50)) }
            throw Cut()
        case .close:
            throw Cut()
        case .status(let code):
            try await send(plain(code), head, fault: nil, &entry)
        default:
            guard head.method == .GET || head.method == .HEAD else {
                return try await send(plain(405, [("Allow", "GET, HEAD")]), head, fault: nil, &entry)
            }
            let request = OriginRequest(path: path, query: query, range: head.headers.first(name: "range"))
            switch try await shared.content.answer(request) {
            case .status(let code):
                try await send(plain(code), head, fault: nil, &entry)
            case .growing(let body):
                try await send(body, head, &entry)
            case .resource(let resource):
                let response = response(to: head, resource, ignoringRange: fault == .ignoreRange)
                try await send(response, head, fault: fault, &entry)
            }
        }
    }

    /// An answer before it is sent.
    private struct Response {
        var status: Int
        var fields: [(String, String)]
        var body: ByteBuffer
    }

    private func plain(_ status: Int, _ fields: [(String, String)] = []) -> Response {
        Response(
            status: status,
            fields: fields + [("Content-Type", "text/plain")],
            body: ByteBuffer(string: "status \(status)\n")
        )
    }

    private func response(to head: HTTPRequestHead, _ resource: OriginResource, ignoringRange: Bool) -> Response {
        let count = resource.bytes.readableBytes
        let tag = shared.digests.fields(for: resource, status: 200).first { $0.0 == "ETag" }?.1
        var range = RequestedRange(header: head.headers.first(name: "range"), count: count)
        // RFC 9110 13.1.5: another validator than ours means the whole.
        if ignoringRange || head.headers.first(name: "if-range").map({ $0 != tag }) == true { range = .whole }
        let common = [("Content-Type", resource.contentType), ("Accept-Ranges", "bytes")]
        switch range {
        case .whole:
            let fields = common + shared.digests.fields(for: resource, status: 200)
            return Response(status: 200, fields: fields, body: resource.bytes)
        case .unsatisfiable:
            return plain(416, [("Content-Range", "bytes */\(count)")])
        case .part(let part):
            let fields =
                common + shared.digests.fields(for: resource, status: 206)
                + [("Content-Range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(count)")]
            var body = resource.bytes
            body.moveReaderIndex(forwardBy: part.lowerBound)
            return Response(status: 206, fields: fields, body: body.readSlice(length: part.count) ?? ByteBuffer())
        }
    }

    private func send(
        _ response: Response,
        _ head: HTTPRequestHead,
        fault: OriginFault?,
        _ entry: inout AccessLog.Entry
    ) async throws {
        var headers = HTTPHeaders(response.fields)
        headers.add(name: "Content-Length", value: String(response.body.readableBytes))
        if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let line = HTTPResponseHead(version: .http1_1, status: .init(statusCode: response.status), headers: headers)
        entry.status = response.status
        try await channel.channel.writeAndFlush(HTTPServerResponsePart.head(line))
        if head.method != .HEAD { try await sendBody(response.body, fault: fault, &entry) }
        try await channel.channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        if !head.isKeepAlive { throw Cut() }
    }

    /// Sends what is being made, as it is made. Faults that shape bodies do not apply.
    private func send(_ body: GrowingBody, _ head: HTTPRequestHead, _ entry: inout AccessLog.Entry) async throws {
        var headers = HTTPHeaders(body.fields)
        if let length = body.length {
            headers.add(name: "Content-Length", value: String(length))
        } else {
            headers.add(name: "Transfer-Encoding", value: "chunked")
        }
        if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
        let line = HTTPResponseHead(version: .http1_1, status: .init(statusCode: body.status), headers: headers)
        entry.status = body.status
        try await channel.channel.writeAndFlush(HTTPServerResponsePart.head(line))
        var number = 0
        while head.method != .HEAD, let piece = try await body.piece(number) {
            try await channel.channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(piece)))
            entry.bytes += Int64(piece.readableBytes)
            number += 1
        }
        try await channel.channel.writeAndFlush(HTTPServerResponsePart.end(nil))
        if !head.isKeepAlive { throw Cut() }
    }

    private func sendBody(_ whole: ByteBuffer, fault: OriginFault?, _ entry: inout AccessLog.Entry) async throws {
        var body = whole
        var limit = Int.max
        var pieceBytes = OriginConnection.pieceBytes
        var pause: Swift.Duration?
        switch fault {
        case .stall(let bytes), .truncate(let bytes): limit = bytes
        case .slow(let rate):
            pieceBytes = max(1, rate / 20)
            pause = .milliseconds(50)
        case .corrupt(let offset) where offset < body.readableBytes:
            if let byte: UInt8 = body.getInteger(at: body.readerIndex + offset) {
                body.setInteger(byte ^ 1, at: body.readerIndex + offset)
            }
        default: break
        }
        while body.readableBytes > 0 {
            guard let piece = body.readSlice(length: min(pieceBytes, body.readableBytes, limit)),
                piece.readableBytes > 0
            else {
                break
            }
            try await channel.channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(piece)))
            entry.bytes += Int64(piece.readableBytes)
            limit -= piece.readableBytes
            if let pause { try await Task.sleep(for: pause) }
        }
        guard body.readableBytes > 0 else { return }
        if case .stall = fault {
            while channel.channel.isActive { try await Task.sleep(for: .milliseconds(50)) }
        }
        throw Cut()
    }
}
