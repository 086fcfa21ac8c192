// What this agent's own uplink carries, and what follows from it: how much is under way at once, and what peers are told.
extension Agent {
    /// A ping that is not answered for this long says nothing of what is under way.
    static let confirmationTime = Duration.seconds(3)
    /// Where the line is known to be slow, uploads leave this part of it to everything else that the agent says: what it
    /// asks for must not wait behind what it gives.
    static let pacedPart = 0.85

    /// Bytes of chunks that have left and of which it is not known that they arrived; of peers that answer pings.
    var bytesUnderWay: Int64 {
        var bytes: Int64 = 0
        for link in links where link.isUp {
            guard let probe = link.probe, now - probe.sentAt < Agent.confirmationTime else { continue }
            bytes += link.sentBytes - link.confirmedBytes
        }
        return bytes
    }

    /// No more may be under way before some of it is known to have arrived.
    mutating func mustConfirm() -> Bool {
        guard !uplink.isProved, bytesUnderWay >= Int64(uplink.window) else { return false }
        isUplinkLimiting = true
        let oldest = links.compactMap { $0.isUp ? $0.probe?.sentAt : nil }.filter { now - $0 < Agent.confirmationTime }
        agenda.note(.uploads, at: (oldest.min() ?? now) + Agent.confirmationTime + .milliseconds(1))
        return true
    }

    /// A chunk was handed to a link.
    mutating func chunkLeft(_ link: Link, bytes: Int) {
        let isWatched = link.leastPing != nil
        let underWay = uplink.isProved ? 0 : bytesUnderWay
        // Who never answered a ping is sent to without one.
        if isWatched, link.probe == nil, link.confirmedBytes < link.sentBytes { link.confirmedBytes = link.sentBytes }
        link.sentBytes += Int64(bytes)
        guard isWatched, uplink.leaves(underWay: underWay, at: now), link.probe == nil else { return }
        sendProbe(link)
    }

    private mutating func sendProbe(_ link: Link) {
        let nonce = nonces.next()
        link.probe = (nonce, now, link.sentBytes)
        emitMessage(.ping(nonce), to: link)
    }

    /// The answer to a ping that followed chunks: they have arrived. False when it is another one.
    mutating func confirms(_ link: Link, _ nonce: UInt64) -> Bool {
        guard let probe = link.probe, probe.nonce == nonce else { return false }
        link.probe = nil
        let bytes = probe.bytes - link.confirmedBytes
        link.confirmedBytes = probe.bytes
        let time = now - probe.sentAt
        link.leastPing = min(link.leastPing ?? time, time)
        let delay = (time - (link.leastPing ?? time)).orZero
        // Under a pace the line is not tried.
        let isTried = isUplinkLimiting && uploadBucket.rate == settings.uploadBytesPerSecond
        let isNews = uplink.confirms(bytes, delay: delay, wasLimiting: isTried, at: now)
        isUplinkLimiting = false
        if !uplink.isProved, link.confirmedBytes < link.sentBytes { sendProbe(link) }
        if isNews { tellShares() }
        pumpUploads()
        return true
    }

    /// Says what this agent can pass on of each rendition, where that has changed, and keeps to it.
    mutating func tellShares() {
        var isSlow = false
        for stream in streams {
            for rendition in stream.renditions where isPlaying(rendition) {
                let share = share(of: rendition)
                isSlow = isSlow || share < UploadShare.whole
                guard UploadShare.isNews(share, after: rendition.share) else { continue }
                rendition.share = share
                log(.debug, "passes on another share", [("eighths", String(share))])
                tellInterest(rendition, force: true)
                replan(stream)
            }
        }
        let paced = isSlow ? uplink.rate(at: now).map { max(1, Int($0 * Agent.pacedPart)) } : nil
        uploadBucket.rate = [settings.uploadBytesPerSecond, paced].compactMap { $0 }.min()
    }

    private func share(of rendition: Rendition) -> UInt8 {
        guard let mediaRate = rendition.mediaRate else { return rendition.share }
        let limit = settings.uploadBytesPerSecond.map(Double.init)
        guard let uplink = [uplink.rate(at: now), limit].compactMap({ $0 }).min() else { return UploadShare.whole }
        return UploadShare.eighths(uplink: uplink, streamRate: mediaRate)
    }
}
