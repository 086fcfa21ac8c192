/// What a recording keeps of an output: its kind and a digest of the rest, by which two outputs can be told apart and
/// nothing can be read.
package struct OutputMark: Hashable, Sendable {
    package enum Kind: UInt8, Sendable {
        case answerHead, answerBytes, answerBody, answerEnd, answerAbort, fetch, pauseFetch, resumeFetch, cancelFetch
        case dial, send, closeLink, openTracker, announce, closeTracker, readSteering, opened, log, stopped
        case disk
    }

    package var kind: Kind
    package var digest: UInt64

    init(kind: Kind, digest: UInt64) {
        self.kind = kind
        self.digest = digest
    }

    package init(_ output: Output) {
        var writer = ByteWriter(reserving: 64)
        switch output {
        case .answerHead(let id, let head):
            kind = .answerHead
            writer.varint(id.value)
            writer.number(head.status)
            writer.fields(head.fields)
            writer.option(head.bodyLength) { $0.number($1) }
        case .answerBytes(let id, let bytes):
            kind = .answerBytes
            writer.varint(id.value)
            writer.blob(bytes)
        case .answerBody(let id, let payload):
            kind = .answerBody
            writer.varint(id.value)
            writer.mark(payload)
        case .answerEnd(let id): (kind, writer) = (.answerEnd, .only(id.value))
        case .answerAbort(let id): (kind, writer) = (.answerAbort, .only(id.value))
        case .fetch(let id, let request):
            kind = .fetch
            writer.varint(id.value)
            writer.text("\(request.method.rawValue) \(request.url) \(request.purpose.rawValue)")
            writer.fields(request.fields)
            writer.flag(request.freshConnection)
        case .pauseFetch(let id): (kind, writer) = (.pauseFetch, .only(id.value))
        case .resumeFetch(let id): (kind, writer) = (.resumeFetch, .only(id.value))
        case .cancelFetch(let id): (kind, writer) = (.cancelFetch, .only(id.value))
        case .dial(let id, let address, let expecting):
            kind = .dial
            writer.varint(id.value)
            writer.address(address)
            writer.option(expecting) { $0.digest($1.digest) }
        case .send(let id, let message, let payload):
            kind = .send
            writer.varint(id.value)
            writer.fields(of: message)
            if let payload { writer.mark(payload) }
        case .closeLink(let id, let reason):
            kind = .closeLink
            writer.varint(id.value)
            writer.text(reason)
        case .openTracker(let id): (kind, writer) = (.openTracker, .only(UInt64(id.value)))
        case .closeTracker(let id): (kind, writer) = (.closeTracker, .only(UInt64(id.value)))
        case .announce(let id, let request):
            kind = .announce
            writer.number(id.value)
            writer.text("\(request)")
        case .readSteering(let id, let bytes):
            kind = .readSteering
            writer.text(id.text)
            writer.blob(bytes)
        case .disk(let order):
            kind = .disk
            writer.mark(order)
        case .opened(let id, let result):
            kind = .opened
            writer.varint(id.value)
            writer.text("\(result)")
        case .log(let event):
            kind = .log
            writer.text("\(event.level.rawValue) \(event.message)")
            writer.fields(event.metadata)
        case .stopped: kind = .stopped
        }
        digest = Digest.sha256(writer.bytes).prefix
    }
}

extension ByteWriter {
    fileprivate static func only(_ value: UInt64) -> ByteWriter {
        var writer = ByteWriter()
        writer.varint(value)
        return writer
    }

    fileprivate mutating func mark(_ order: DiskOrder) {
        switch order {
        case .write(let id, let chunks, let evidence):
            byte(0)
            varint(id.value)
            for chunk in chunks { mark(chunk) }
            blob(evidence)
        case .read(let id):
            byte(1)
            varint(id.value)
        case .remove(let id):
            byte(2)
            varint(id.value)
        }
    }

    fileprivate mutating func mark(_ payload: any Payload) {
        number(payload.count)
        digest(payload.digest())
    }
}
