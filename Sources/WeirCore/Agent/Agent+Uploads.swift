// What peers ask of us: queues, slots, the cap, and cut-through of what is still arriving.
extension Agent {
    /// Links that are served at once; the others wait, so that somebody finishes and can pass it on.
    static let uploadSlots = 8
    /// Bytes sent to a link, and to all of them, and not yet gone: enough to keep a line busy between two looks at it,
    /// few enough that a cancel leaves little and that what is said to others does not queue behind it.
    static let uploadWindow = 2 * Chunk.byteCount
    static let uploadWindowOfAll = 6 * Chunk.byteCount

    mutating func peerRequests(_ link: Link, _ request: RunRequest) {
        func refuse(_ reason: AbsentReason) {
            emitMessage(.absent(request: request.request, reason: reason), to: link)
        }
        guard let swarm = link.theirSwarms[request.handle], link.shared.contains(swarm),
            let stream = stream(swarm: swarm)
        else { return refuse(.unknownSwarm) }
        guard settings.uploadBytesPerSecond != 0 else { return refuse(.busy) }
        guard let rendition = stream.rendition(request.segment.rendition), rendition.isShared, !rendition.isWithdrawn,
            let segment = rendition.segment(request.segment), mayServe(segment)
        else { return refuse(.notHeld) }
        let edition = segment.isHeld ? segment.edition : segment.disk?.edition ?? segment.edition
        guard edition.agrees(with: request.edition) else { return refuse(.otherEdition) }
        let waiting = link.uploads.reduce(0) { $0 + $1.end - $1.next }
        guard link.uploads.count < limits.requestsPerLink,
            waiting + Int(clamping: request.chunks.count) <= limits.chunksPerLink
        else { return refuse(.busy) }
        let first = Int(clamping: request.chunks.first)
        var (end, overflow) = first.addingReportingOverflow(Int(clamping: request.chunks.count))
        if segment.length != nil {
            // Whoever does not know the length cannot know where to stop.
            if request.edition.length == nil, first < segment.chunks.count { end = min(end, segment.chunks.count) }
            guard first <= segment.chunks.count, end <= segment.chunks.count, !overflow else { return refuse(.notHeld) }
        }
        let asked = first..<max(first, overflow ? first : end)
        guard !isWaitingInVain(segment, for: asked) else { return refuse(.notHeld) }
        segment.lastUse = now
        if let list = request.list, segment.phase == .racing { noteAgreement(of: link, on: list, segment) }
        // Who asks for digests alone does not have them, whatever was sent before.
        if request.chunks.count == 0 { link.told[segment.named] = nil }
        link.uploads.append(
            Upload(
                request: request.request,
                swarm: swarm,
                segment: segment,
                next: first,
                end: overflow ? first : end,
                isQuery: request.chunks.count == 0,
                list: request.list,
                turn: turn(of: link, for: first, of: segment)
            )
        )
        pumpUploads()
    }

    /// Held, or being fetched with chunks that were promised or already told; or fresh, so that it is passed on as it
    /// comes.
    private func mayServe(_ segment: Segment) -> Bool {
        (segment.isHeld && !segment.isPutTogether) || segment.announced == .fetching || isServedFromDisk(segment)
            || (segment.phase == .racing && (segment.partialAnnounced > 0 || mayPassOn(segment)))
    }

    private func isServedFromDisk(_ segment: Segment) -> Bool {
        segment.disk.map { !$0.isPutTogether } ?? false && segment.announced == .held
    }

    /// Of a fresh segment whoever has most to pass a chunk on to comes first; of others all take turns.
    private func turn(of link: Link, for chunk: Int, of segment: Segment) -> UInt64 {
        guard mayPassOn(segment), !segment.isHeld else { return 0 }
        return SharingTree.key(of: link.peer.id, for: chunk, turn: sharingTurn(of: segment))
    }

    /// Live segments are passed on as they come.
    func mayPassOn(_ segment: Segment) -> Bool {
        segment.rendition.isLive && segment.id.kind == .media && !segment.rendition.isParts && segment.originOnly == nil
            && !segment.isDirect
    }

    mutating func peerCancels(_ link: Link, _ request: UInt32, _ fromChunk: Int) {
        guard let index = link.uploads.firstIndex(where: { $0.request == request }) else { return }
        if fromChunk <= link.uploads[index].next {
            link.uploads.remove(at: index)
        } else {
            link.uploads[index].end = min(link.uploads[index].end, fromChunk)
        }
        pumpUploads()
    }

    mutating func linkDrained(_ id: LinkID, bytes: Int) {
        guard let link = link(id) else { return }
        link.sentNotDrained = max(0, link.sentNotDrained - bytes)
        link.lastDrained = now
        if !link.uploads.isEmpty { pumpUploads() }
    }

    /// The segment is gone or not to be trusted: whoever waits for it learns so.
    mutating func refuseUploads(of segment: Segment) {
        for link in links {
            for upload in link.uploads where upload.segment === segment {
                emitMessage(.absent(request: upload.request, reason: .notHeld), to: link)
            }
            link.uploads.removeAll { $0.segment === segment }
        }
    }

    /// Sends what may be sent, one chunk a turn, so that all who are served advance together. Whoever wants what was
    /// sent least comes first: then the receivers soon hold different chunks and serve each other.
    mutating func pumpUploads() {
        readForPeers()
        while let (link, index) = nextUpload() {
            guard serve(link, index) else {
                agenda.note(.uploads, at: uploadBucket.nextCredit(at: now))
                return
            }
        }
    }

    private mutating func nextUpload() -> (Link, Int)? {
        // Whoever does not read takes nothing from the others' window.
        var sending = 0
        for link in links where link.sentNotDrained > 0 && now - link.lastDrained < .seconds(1) {
            sending += link.sentNotDrained
        }
        guard sending < Agent.uploadWindowOfAll, !mustConfirm() else { return nil }
        var best: (link: Link, index: Int, sent: Int, turn: UInt64)?
        var served = 0
        for step in 0..<links.count {
            let link = links[(uploadTurn + step) % links.count]
            guard !link.uploads.isEmpty, link.isUp, link.sentNotDrained < Agent.uploadWindow,
                let index = firstReady(link)
            else { continue }
            let upload = link.uploads[index]
            let sent = upload.isQuery ? -1 : upload.segment.timesSent(upload.next)
            if best.map({ (sent, upload.turn) < ($0.sent, $0.turn) }) ?? true {
                best = (link, index, sent, upload.turn)
            }
            served += 1
            if served >= Agent.uploadSlots || sent < 0 { break }
        }
        uploadTurn &+= 1
        return best.map { ($0.link, $0.index) }
    }

    /// The first request of which something can be sent.
    private func firstReady(_ link: Link) -> Int? {
        link.uploads.firstIndex { upload in
            let segment = upload.segment
            if upload.isQuery {
                return segment.length != nil && (!segment.evidence.vouches.isEmpty || canVouch(segment, 0))
            }
            guard upload.next < segment.chunks.count, segment.chunks.states[upload.next] == .checked else {
                return false
            }
            return knowsList(upload) || isVouched(segment, upload.next) || canVouch(segment, upload.next)
        }
    }

    /// The requester has the very list that is known here: there is nothing to tell.
    private func knowsList(_ upload: Upload) -> Bool { upload.list != nil && upload.list == upload.segment.listRoot }

    private func isVouched(_ segment: Segment, _ chunk: Int) -> Bool {
        segment.evidence.vouches.contains { $0.isAbout(chunk) }
    }

    /// A batch is signed when it is worth a signature, or when nothing more is coming soon.
    private func canVouch(_ segment: Segment, _ chunk: Int) -> Bool {
        guard segment.evidence.isOwn(chunk) else { return false }
        // Nobody knows how long the next chunk will take.
        guard segment.length != nil else { return mayGrow(segment) }
        let isArriving = segment.runs.contains { $0.isHTTP }
        // The first one tells everybody how long the segment is.
        guard isArriving, !segment.evidence.vouches.isEmpty else { return true }
        var end = chunk
        while segment.evidence.isOwn(end) { end += 1 }
        return end - chunk >= 4 || end == segment.chunks.count
    }

    /// False when the cap is reached.
    private mutating func serve(_ link: Link, _ index: Int) -> Bool {
        let upload = link.uploads[index]
        let segment = upload.segment
        guard let handle = link.handle(of: upload.swarm) else {
            link.uploads.remove(at: index)
            return true
        }
        if upload.isQuery {
            vouchFromOwn(segment, from: 0)
            let bytes = segment.evidence.vouches.reduce(0) { $0 + $1.digests.count * Digest.byteCount + 256 }
            guard uploadBucket.take(bytes, at: now) else { return false }
            sendVouches(of: segment, to: link, handle)
            // Lists are paced like chunks, or whoever keeps asking for them could fill the socket (F46).
            if link.sentNotDrained == 0 { link.lastDrained = now }
            link.sentNotDrained += bytes
            emitMessage(.absent(request: upload.request, reason: .busy), to: link)
            link.uploads.remove(at: index)
            return true
        }
        guard let payload = segment.chunks.payloads[upload.next] else {
            link.uploads.remove(at: index)
            return true
        }
        guard uploadBucket.take(payload.count, at: now) else { return false }
        if !knowsList(upload) {
            if !isVouched(segment, upload.next) { vouchFromOwn(segment, from: upload.next) }
            sendVouches(of: segment, to: link, handle, for: mayPassOn(segment) && !segment.isHeld ? upload.next : nil)
        }
        let chunk = UInt32(clamping: upload.next)
        emit(.send(link.id, .data(request: upload.request, firstChunk: chunk), payload: payload))
        if link.sentNotDrained == 0 { link.lastDrained = now }
        link.sentNotDrained += payload.count
        chunkLeft(link, bytes: payload.count)
        totals.uploaded_bytes += Int64(payload.count)
        segment.lastUse = now
        segment.countSent(upload.next)
        link.uploads[index].next += 1
        if link.uploads[index].next >= link.uploads[index].end { link.uploads.remove(at: index) }
        return true
    }

    /// Passes on every statement that this link has not had from us.
    ///
    /// - Parameter chunk: that alone which is about this one, because the others come with their chunks, by other ways.
    mutating func sendVouches(of segment: Segment, to link: Link, _ handle: UInt32, for chunk: Int? = nil) {
        var told = link.told[segment.named] ?? ToldList(life: segment.life)
        if told.life != segment.life { told = ToldList(life: segment.life) }
        // First, because it tells the length, which the first statements may not know; and with chunks as well, because
        // networks that name the same root share their audits.
        if let root = segment.evidence.root, !told.hasRoot {
            var relayed = root
            relayed.handle = handle
            emitMessage(.root(relayed), to: link)
            told.hasRoot = true
        }
        for (place, vouch) in segment.evidence.vouches.enumerated() where !told.vouches.contains(place) {
            if let chunk, !vouch.isAbout(chunk) { continue }
            told.vouches.insert(place)
            var relayed = vouch
            relayed.handle = handle
            emitMessage(.digests(relayed), to: link)
        }
        link.told[segment.named] = told
        forgetOldLists(of: link)
    }

    /// Drops books about segments that left the cache long ago, now and then.
    func forgetOldLists(of link: Link) {
        guard max(link.told.count, link.ownLists.count) > link.listLimit else { return }
        let live = Set(
            streams.flatMap { $0.renditions.flatMap { $0.allSegments.filter { $0.phase != .absent } } }.map { $0.named }
        )
        link.told = link.told.filter { live.contains($0.key) }
        link.ownLists = link.ownLists.filter { live.contains($0.key) }
        link.listLimit = 512 + 2 * max(link.told.count, link.ownLists.count)
    }

    /// Requests beyond a segment's end, made before its length was known, are refused.
    mutating func trimUploads(of segment: Segment) {
        let count = segment.chunks.count
        for link in links where link.uploads.contains(where: { $0.segment === segment && $0.end > count }) {
            for index in link.uploads.indices where link.uploads[index].segment === segment {
                link.uploads[index].end = min(link.uploads[index].end, count)
            }
            for upload in link.uploads where upload.segment === segment && upload.next >= count && !upload.isQuery {
                emitMessage(.absent(request: upload.request, reason: .notHeld), to: link)
            }
            link.uploads.removeAll { $0.segment === segment && $0.next >= count && !$0.isQuery }
        }
    }
}
