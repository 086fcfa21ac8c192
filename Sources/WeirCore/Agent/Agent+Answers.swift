// Segments' bodies on their way to players, and what passes through without being kept.
extension Agent {
    /// Body bytes handed to the shell and not yet taken by the player's socket: enough to keep writev busy, little
    /// enough that a slow reader costs no memory.
    static let answerWindow = 1024 * 1024
    static let relayWindow = 256 * 1024

    mutating func begin(_ answer: Answer, _ segment: Segment) {
        answer.content = .segment(segment)
        segment.lastUse = now
        if segment.isPassedThrough { return passThrough(answer, segment) }
        segment.answers.append(answer.request.id)
        if case .failed = segment.phase { segment.phase = .absent }
        answer.pace = pace(answer, segment)
        if !segment.isHeld { enterRace(segment) }
        agenda.note(.answer(answer.request.id), at: now + Agent.firstByteTime)
        pump(answer)
        replan(segment.rendition.stream)
    }

    /// Gives the player what may be given.
    mutating func pump(_ answer: Answer) {
        guard case .segment(let segment) = answer.content, !answer.isEnded else { return }
        if !answer.hasHead {
            guard mayBeginHead(segment, isHeadOnly: answer.request.method == .head) else { return }
            guard beginHead(answer, segment) else { return }
        }
        let size = Int64(Chunk.byteCount)
        let isEarly = !segment.isHeld && mayReleaseEarly(segment)
        var isPaced = false
        while answer.outstanding < Agent.answerWindow, answer.end.map({ answer.offset < $0 }) ?? true {
            if let pace = answer.pace, answer.delivered + Int64(answer.outstanding) >= pace.allowance(at: now) {
                isPaced = true
                agenda.note(.answer(answer.request.id), at: now + Pace.step)
                break
            }
            let chunk = Int(answer.offset / size)
            guard chunk < segment.chunks.count, mayRelease(segment, chunk, isEarly: isEarly),
                let payload = segment.chunks.payloads[chunk]
            else { break }
            let from = Int(answer.offset - Int64(chunk) * size)
            let to = Int(min(Int64(payload.count), (answer.end ?? .max) - Int64(chunk) * size))
            guard from < to else { break }
            let piece = from == 0 && to == payload.count ? payload : payload.slice(from..<to)
            if let since = answer.starvedSince {
                answer.lastWait = now - since
                answer.starvedSince = nil
            }
            emit(.answerBody(answer.request.id, piece))
            answer.outstanding += piece.count
            answer.offset += Int64(piece.count)
        }
        if segment.isOpenEnded, !isPaced { giveArriving(answer, segment) }
        let isWhole = answer.end.map { answer.offset >= $0 } ?? (segment.length.map { answer.offset >= $0 } ?? false)
        if isWhole { return finishBody(answer, segment) }
        if answer.outstanding == 0, !isPaced, answer.starvedSince == nil { answer.starvedSince = now }
    }

    /// What a source is still making comes in pieces far smaller than a chunk: what we read ourselves leaves at once.
    private mutating func giveArriving(_ answer: Answer, _ segment: Segment) {
        let size = Int64(Chunk.byteCount)
        let chunk = Int(answer.offset / size)
        guard let run = segment.runs.first(where: { arrivingFetch($0, at: chunk) != nil }),
            let fetch = arrivingFetch(run, at: chunk)
        else { return }
        var skipped = Int(answer.offset - Int64(chunk) * size)
        for part in fetch.parts where answer.outstanding < Agent.answerWindow {
            guard skipped < part.count else {
                skipped -= part.count
                continue
            }
            let piece = skipped == 0 ? part : part.slice(skipped..<part.count)
            skipped = 0
            if let since = answer.starvedSince {
                answer.lastWait = now - since
                answer.starvedSince = nil
            }
            emit(.answerBody(answer.request.id, piece))
            answer.outstanding += piece.count
            answer.offset += Int64(piece.count)
        }
    }

    private func arrivingFetch(_ run: Run, at chunk: Int) -> Fetch? {
        guard run.next == chunk, case .http(let id) = run.source else { return nil }
        return fetches[id].flatMap { $0.partBytes > 0 ? $0 : nil }
    }

    /// A length that only peers state is not promised to a player before their bytes may be given.
    private func mayBeginHead(_ segment: Segment, isHeadOnly: Bool) -> Bool {
        if segment.isHeld { return true }
        // With the first bytes it is clear that they are media.
        let hasBytes = segment.originBytes + segment.edgeBytes + segment.peerBytes > 0 || segment.length == 0
        if segment.isOpenEnded, isHeadOnly || segment.originBytes + segment.edgeBytes > 0 { return true }
        let isEarly = segment.chunks.contiguous > 0 && mayReleaseEarly(segment)
        guard segment.length != nil else { return segment.grew && isEarly }
        return segment.isConfirmed && (hasBytes || isHeadOnly) || isEarly
    }

    /// False when the answer is over with its head.
    private mutating func beginHead(_ answer: Answer, _ segment: Segment) -> Bool {
        var fields = [HeaderField("content-type", LocalPath.contentType(ofTarget: answer.request.target))]
        fields.append(HeaderField("accept-ranges", "bytes"))
        fields.append(HeaderField("access-control-allow-origin", "*"))
        var status = 200
        if let length = segment.length {
            answer.end = length
            // If-Range would need validators of ours, which we do not give: the whole is always a right answer.
            let wanted = answer.request.ifRange == nil ? answer.request.range : nil
            switch RangeHeader.parse(wanted, length: length) {
            case .whole, .ignore: break
            case .unsatisfiable:
                end(answer, status: 416, fields: [HeaderField("content-range", "bytes */\(length)")])
                return false
            case .range(let range):
                status = 206
                answer.offset = range.lowerBound
                answer.end = range.upperBound
                fields.append(
                    HeaderField("content-range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(length)")
                )
            }
        }
        let bodyLength = answer.end.map { Int($0 - answer.offset) }
        guard answer.request.method == .get else {
            if let bodyLength { fields.append(HeaderField("content-length", String(bodyLength))) }
            emit(.answerHead(answer.request.id, AnswerHead(status: status, fields: fields, bodyLength: 0)))
            emit(.answerEnd(answer.request.id))
            answer.hasHead = true
            forget(answer)
            return false
        }
        emit(.answerHead(answer.request.id, AnswerHead(status: status, fields: fields, bodyLength: bodyLength)))
        answer.hasHead = true
        return true
    }

    private mutating func finishBody(_ answer: Answer, _ segment: Segment) {
        answer.isEnded = true
        emit(.answerEnd(answer.request.id))
        if answer.outstanding == 0 { settle(answer) }
    }

    /// The last byte left for the player's socket.
    private mutating func settle(_ answer: Answer) {
        if case .segment(let segment) = answer.content, answer.end == nil || answer.end == segment.length {
            leavePlayhead(answer, segment, isDone: true)
        }
        forget(answer)
    }

    mutating func delivered(_ id: RequestID, bytes: Int) {
        guard let answer = answers[id] else { return }
        answer.outstanding = max(0, answer.outstanding - bytes)
        answer.delivered += Int64(bytes)
        switch answer.content {
        case .segment(let segment):
            totals.delivered_bytes += Int64(bytes)
            segment.lastUse = now
            credit(answer, segment, bytes)
            if answer.isEnded, answer.outstanding == 0 { return settle(answer) }
            pump(answer)
        case .relay(let id):
            guard let fetch = id.flatMap({ fetches[$0] }), fetch.isPaused, answer.outstanding < Agent.relayWindow / 2
            else { return }
            fetch.isPaused = false
            emit(.resumeFetch(fetch.id))
        case .nothing: pumpChannels(answer)
        case .manifest: break
        }
    }

    /// Media time that the player gained, and whether it had been without.
    private mutating func credit(_ answer: Answer, _ segment: Segment, _ bytes: Int) {
        guard segment.id.kind == .media, let length = segment.length, length > 0, let player = answer.player,
            let place = player.place(of: segment.id.rendition)
        else { return }
        let time = segment.duration * (Double(bytes) / Double(length))
        let dry = player.playheads[place].head.credit(
            time,
            of: segment.id.number,
            whole: segment.duration,
            at: now
        )
        // Dry because the player paused is no stall; dry while it waited for us is.
        let waited = answer.lastWait
        answer.lastWait = .zero
        if dry > .milliseconds(100), waited > .milliseconds(100) {
            player.stalls += 1
            totals.stalls += 1
            totals.stall_seconds += min(dry, waited).seconds
            segment.rendition.stream.stalls += 1
            log(
                .notice,
                "a player ran dry",
                [("segment", String(segment.id.number)), ("seconds", String(min(dry, waited).seconds))]
            )
        }
    }

    // MARK: Passing through

    /// Hands a resource on without keeping it: keys, session data, and segments too large to hold.
    mutating func relay(_ answer: Answer, _ url: WebURL, purpose: FetchRequest.Purpose, range: String? = nil) {
        let method: FetchRequest.Method = answer.request.method == .head ? .head : .get
        let fields = (range ?? answer.request.range).map { [HeaderField("range", $0)] } ?? []
        let request = FetchRequest(method: method, url: url.description, fields: fields, purpose: purpose)
        let fetch = begin(request, purpose: .relay(answer.request.id), host: url.originKey)
        answer.content = .relay(fetch.id)
        agenda.note(.answer(answer.request.id), at: now + Agent.firstByteTime)
    }

    mutating func passThrough(_ answer: Answer, _ segment: Segment) {
        segment.answers.removeAll { $0 == answer.request.id }
        leavePlayhead(answer, segment, isDone: true)
        var range: String?
        if let part = segment.id.range {
            // Ranges of a part are ranges of the whole, moved; a player rarely asks for one.
            range = "bytes=\(part.offset)-\(part.offset + part.length - 1)"
        }
        relay(answer, segment.url, purpose: .segment, range: range)
    }

    mutating func relayHead(_ id: RequestID, _ head: FetchHead) {
        guard let answer = answers[id] else { return }
        let passed = ["content-type", "content-encoding", "content-range", "accept-ranges", "retry-after"]
        var fields = head.fields.filter { passed.contains($0.name) }
        var length = head.first("content-length").flatMap { Int($0) }
        if answer.request.method == .head {
            if let length { fields.append(HeaderField("content-length", String(length))) }
            length = 0
        }
        if head.status == 204 || head.status == 304 { length = 0 }
        emit(.answerHead(id, AnswerHead(status: head.status, fields: fields, bodyLength: length)))
        answer.hasHead = true
        answer.end = length.map { Int64($0) }
    }

    mutating func relayBody(_ id: RequestID, _ payload: any Payload, _ fetch: Fetch) {
        guard let answer = answers[id], answer.hasHead else { return }
        var piece = payload
        if let end = answer.end {
            let room = end - answer.offset
            guard room > 0 else { return }
            if Int64(piece.count) > room { piece = piece.slice(0..<Int(room)) }
        }
        emit(.answerBody(id, piece))
        answer.offset += Int64(piece.count)
        answer.outstanding += piece.count
        if fetch.request.purpose == .segment {
            totals.origin_bytes += Int64(piece.count)
            totals.delivered_bytes += Int64(piece.count)
        }
        if answer.outstanding > Agent.relayWindow, !fetch.isPaused {
            fetch.isPaused = true
            emit(.pauseFetch(fetch.id))
        }
    }

    mutating func relayEnded(_ id: RequestID, _ end: FetchEnd) {
        guard let answer = answers[id] else { return }
        answer.content = .nothing
        guard answer.hasHead else {
            return self.end(answer, status: 502, text: "the origin did not answer\n")
        }
        if end == .complete, answer.end.map({ answer.offset == $0 }) ?? true {
            emit(.answerEnd(id))
            forget(answer)
        } else {
            abort(answer)
        }
    }
}
