// The part of time shift windows that lies on the disk: what leaves memory for it, and how it comes back.
extension Agent {
    // MARK: Out of memory

    /// Takes a segment out of memory: to the disk where it belongs to a window, else for good.
    mutating func evict(_ segment: Segment) {
        guard segment.isHeld, segment.disk != nil || writeToDisk(segment) else { return drop(segment) }
        ledger.release(segment)
        segment.reset()
    }

    private mutating func writeToDisk(_ segment: Segment) -> Bool {
        let rendition = segment.rendition
        guard disk.budget > 0, segment.id.kind == .media, !segment.isReplaced, let length = segment.length, length > 0,
            let entry = rendition.window.entry(segment.id.number), segment.chunks.isComplete,
            segment.evidence.digests.count == segment.chunks.count
        else { return false }
        var evidence = ByteWriter()
        evidence.evidence(segment.evidence, origins: segment.chunks.origins)
        let file = DiskWindow.File(
            stream: rendition.stream.id,
            rendition: rendition.key,
            number: segment.id.number,
            bytes: length + Int64(evidence.bytes.count),
            edge: entry.edge
        )
        guard let (id, gone) = disk.add(file, at: now) else {
            totals.dvr_disk_skipped += 1
            return false
        }
        for old in gone { forgetFile(old) }
        let isFromPeers = segment.chunks.origins.contains(.peer)
        segment.disk = DiskCopy(
            id: id,
            edition: segment.edition,
            isConfirmed: segment.isConfirmed,
            isPutTogether: segment.isPutTogether,
            voucherKeys: isFromPeers ? Array(Set(segment.evidence.vouches.map { $0.voucherKey })) : []
        )
        let chunks = segment.chunks.payloads.compactMap { $0 }
        emit(.disk(.write(id, chunks: chunks, evidence: evidence.bytes)))
        totals.dvr_disk_written_bytes += file.bytes
        return true
    }

    // MARK: Back into memory

    /// Has it read from the disk. False when it is not there, or there is no room for it now.
    mutating func readFromDisk(_ segment: Segment) -> Bool {
        guard let copy = segment.disk, !segment.isHeld, segment.runs.isEmpty else { return false }
        guard disk.files[copy.id]?.isBeingRead == false else { return true }
        // What makes room for it must not take it.
        disk.setBeingRead(copy.id, true)
        guard makeRoom(copy.length, for: segment) else {
            disk.setBeingRead(copy.id, false)
            return false
        }
        emit(.disk(.read(copy.id)))
        return true
    }

    func isBeingRead(_ segment: Segment) -> Bool {
        segment.disk.flatMap { disk.files[$0.id]?.isBeingRead } ?? false
    }

    /// What peers wait for and lies on the disk. Each such segment takes memory until it was sent, so they are few at a time.
    mutating func readForPeers() {
        guard !disk.files.isEmpty else { return }
        var seen: Set<SegmentID> = []
        var waiting: [Segment] = []
        var room = limits.segmentsReadForPeers
        for segment in links.flatMap({ $0.uploads.map { $0.segment } })
        where segment.disk != nil && seen.insert(segment.id).inserted {
            if segment.isHeld || isBeingRead(segment) { room -= 1 } else { waiting.append(segment) }
        }
        for segment in waiting.prefix(max(0, room)) { _ = readFromDisk(segment) }
    }

    // MARK: Answers

    mutating func diskSays(_ answer: DiskAnswer) {
        switch answer {
        case .written(let id):
            disk.settle(id)
            if disk.recover() { log(.notice, "the time shift window goes on to the disk again") }
        case .notWritten(let id, let failure):
            diskFailed(failure)
            forgetFile(id, isThere: false)
        case .unusable(let failure): diskFailed(failure)
        case .read(let id, let chunks, let evidence): fileWasRead(id, chunks, evidence)
        case .unreadable(let id, let failure): fileIsLost(id, failure)
        }
    }

    private mutating func diskFailed(_ failure: DiskFailure) {
        totals.dvr_disk_failures += 1
        guard disk.fail(at: now) else { return }
        log(.warning, "the time shift window goes on in memory alone", [("why", failure.description)])
    }

    private mutating func fileIsLost(_ id: DiskFileID, _ failure: DiskFailure) {
        guard let file = disk.files[id] else { return }
        if failure == .damaged { totals.dvr_disk_damaged += 1 } else { totals.dvr_disk_failures += 1 }
        log(
            .notice,
            "a file of the time shift window is lost",
            [("segment", String(file.number)), ("why", failure.description)]
        )
        forgetFile(id)
    }

    private mutating func fileWasRead(_ id: DiskFileID, _ chunks: [any Payload], _ evidence: [UInt8]) {
        guard let file = disk.files[id], file.isBeingRead else { return }
        disk.setBeingRead(id, false)
        guard let segment = segment(of: file, id), let copy = segment.disk, !segment.isHeld else { return }
        totals.dvr_disk_read_bytes += file.bytes
        guard segment.runs.isEmpty, segment.charged >= copy.length else {
            // Given up meanwhile, and perhaps wanted again.
            if segment.phase == .absent, !hasUploads(segment) { ledger.release(segment) }
            return replan(segment.rendition.stream)
        }
        guard restore(segment, copy, chunks, evidence) else { return fileIsLost(id, .damaged) }
        trimUploads(of: segment)
        for id in segment.answers { if let answer = answers[id] { pump(answer) } }
        if hasUploads(segment) { pumpUploads() }
        replan(segment.rendition.stream)
    }

    private func hasUploads(_ segment: Segment) -> Bool {
        links.contains { $0.uploads.contains { $0.segment === segment } }
    }

    /// As it was when it left memory. False when that cannot be.
    private mutating func restore(
        _ segment: Segment,
        _ copy: DiskCopy,
        _ payloads: [any Payload],
        _ bytes: [UInt8]
    ) -> Bool {
        var chunks = ChunkMap()
        chunks.resize(to: copy.length)
        var reader = ByteReader(bytes)
        guard let (evidence, origins) = try? reader.evidence(chunks: chunks.count), payloads.count == chunks.count,
            payloads.indices.allSatisfy({ payloads[$0].count == chunks.byteCount(of: $0) })
        else { return false }
        for (chunk, payload) in payloads.enumerated() { _ = chunks.fill(chunk, with: payload, from: origins[chunk]) }
        ledger.remove(segment.stored, from: segment)
        segment.edition = copy.edition
        segment.isConfirmed = copy.isConfirmed
        segment.isPutTogether = copy.isPutTogether
        segment.chunks = chunks
        segment.evidence = evidence
        ledger.add(Int(copy.length), to: segment)
        segment.phase = .held
        segment.raceEnd = now
        segment.lastUse = now
        segment.rendition.stream.racing.removeAll { $0 === segment }
        return true
    }

    // MARK: Files that are not needed

    private func segment(of file: DiskWindow.File, _ id: DiskFileID) -> Segment? {
        let found = stream(file.stream)?.rendition(file.rendition)?.media[file.number]
        return found?.disk?.id == id ? found : nil
    }

    /// - Parameter isThere: whether there is a file to remove.
    mutating func forgetFile(_ id: DiskFileID, isThere: Bool = true) {
        guard let file = disk.remove(id) else { return }
        if isThere { emit(.disk(.remove(id))) }
        guard let segment = segment(of: file, id) else { return }
        segment.disk = nil
        guard !segment.isHeld else { return }
        if segment.phase == .absent, segment.chunks.checkedCount == 0 { ledger.release(segment) }
        if segment.announced == .held { announce(segment, .gone) } else { refuseUploads(of: segment) }
        if segment.phase == .racing { replan(segment.rendition.stream) }
    }

    /// What left its window, and what belongs to streams and segments that there are not any more.
    mutating func forgetOldFiles() {
        for id in disk.files.keys.sorted() {
            guard let file = disk.files[id] else { continue }
            let segment = segment(of: file, id)
            if segment?.rendition.window.holds(file.number) ?? false { continue }
            forgetFile(id)
        }
    }

    /// What rests on a liar's word.
    mutating func forgetFiles(vouchedBy key: [UInt8]) {
        for id in disk.files.keys.sorted() {
            guard let file = disk.files[id], let copy = segment(of: file, id)?.disk, copy.voucherKeys.contains(key)
            else { continue }
            forgetFile(id)
        }
    }
}
