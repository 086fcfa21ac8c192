// Expired tokens: before a player hears of a 403 or 410, new addresses are asked for, once.
//
// Tokens are minted with the multivariant playlist or with the media playlist, so both are read anew, in this order. A
// renewal that did not help is followed by a pause that doubles, however often the player asks.
extension Agent {
    /// What an origin answers that wants a newer token.
    static func mayHaveExpired(_ status: Int) -> Bool { status == 403 || status == 410 }

    /// True when the refused segment waits for a new address.
    mutating func mayRenew(_ segment: Segment, _ fetch: Fetch, status: Int) -> Bool {
        guard Agent.mayHaveExpired(status), fetch.request.url == segment.url.description, !segment.isRenewed,
            renew(segment.rendition.ofWhole)
        else { return false }
        segment.awaitedStatus = status
        // Peers may bring it meanwhile; whatever happens, the player gets an answer in time.
        segment.retryAt = now + Agent.firstByteTime
        return true
    }

    /// Asks for new addresses of a rendition's playlist and segments. False when that was tried a short while ago.
    mutating func renew(_ rendition: Rendition) -> Bool {
        if rendition.isRenewing { return true }
        let stream = rendition.stream
        if let next = rendition.nextRenewal, next > now { return false }
        rendition.nextRenewal = now + rendition.renewalPause
        rendition.renewalPause = min(rendition.renewalPause * 2, .seconds(300))
        rendition.isRenewing = true
        log(.info, "an address expired; asking for new ones", [("stream", stream.id.text)])
        let isTopFresh = stream.top.fetchedAt.map { now - $0 < .seconds(5) } ?? false
        if stream.top !== rendition.manifest, !isTopFresh {
            fetchManifest(stream.top, of: stream, rendition: nil)
        } else {
            fetchManifest(rendition.manifest, of: stream, rendition: rendition)
        }
        return true
    }

    /// The multivariant list has arrived: its renditions are asked for at their new addresses.
    mutating func continueRenewals(_ stream: Stream) {
        for rendition in stream.renditions where rendition.isRenewing && rendition.manifest !== stream.top {
            if let fetch = rendition.manifest.fetch.flatMap({ fetches[$0] }) {
                cancel(fetch)
                rendition.manifest.fetch = nil
            }
            fetchManifest(rendition.manifest, of: stream, rendition: rendition)
        }
    }

    /// A playlist could not be had: what waits for its new addresses waits no longer.
    mutating func renewalFailed(_ manifest: Manifest, _ stream: Stream) {
        for rendition in stream.renditions where rendition.isRenewing {
            guard manifest === stream.top || manifest === rendition.manifest else { continue }
            endRenewal(rendition)
            guard manifest !== rendition.manifest else { continue }
            guard rendition.manifest.lastFailure != nil, rendition.manifest.fetch == nil else { continue }
            answerManifest(rendition.manifest, stream)
        }
    }

    /// Segments with a new address are asked again, the others' refusals are passed on.
    mutating func endRenewal(_ rendition: Rendition) {
        guard rendition.isRenewing else { return }
        rendition.isRenewing = false
        // What one server refuses another one may still give.
        var isMoved: Bool?
        for segment in rendition.stream.racing where segment.rendition.manifest === rendition.manifest {
            // A DASH manifest is shared by renditions that are renewed one by one.
            guard !rendition.isPresented || segment.rendition === rendition else { continue }
            guard let status = segment.awaitedStatus else { continue }
            segment.awaitedStatus = nil
            // A new address clears the time before which nobody is asked.
            if segment.retryAt != nil {
                isMoved = isMoved ?? failOver(rendition, why: "status \(status)")
                if isMoved != true { refuse(segment, status: status) }
            } else {
                segment.isRenewed = true
            }
        }
        replan(rendition.stream)
    }

    /// An address that was renewed works: the next expiry is met without delay.
    func renewalHelped(_ segment: Segment) {
        guard segment.isRenewed else { return }
        segment.isRenewed = false
        let rendition = segment.rendition.ofWhole
        rendition.renewalPause = Rendition.firstRenewalPause
        rendition.nextRenewal = nil
    }

    /// The origin's refusal becomes the player's.
    mutating func refuse(_ segment: Segment, status: Int) {
        segment.retryAt = now + .seconds(2)
        for id in segment.answers {
            if let answer = answers[id], !answer.hasHead {
                end(answer, status: status, text: "the origin answered \(status)\n")
            }
        }
        if segment.answers.isEmpty {
            leaveRace(segment)
            segment.phase = .failed(status: status)
        }
        replan(segment.rendition.stream)
    }
}
