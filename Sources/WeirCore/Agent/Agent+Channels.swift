// Channels of the list: one local address each, their streams opened when somebody asks.
extension Agent {
    /// Bytes of the list that are handed to the shell at once.
    static let channelListPart = 64 * 1024

    mutating func channelsArrived(_ list: ChannelList) {
        channels = list
        zap = nil
        log(
            .info,
            "list of channels read",
            [("channels", String(list.count)), ("left as they are", String(list.foreignCount))]
        )
    }

    /// `GET /channels.m3u`
    mutating func listChannels(_ answer: Answer) {
        guard let channels else { return noChannels(answer) }
        // Without a name for us, addresses are left relative to the list's own.
        let writer = ChannelList.Writer(channels, base: answer.request.authority.map { "http://\($0)" } ?? "")
        let count = writer.totalCount
        let id = answer.request.id
        var fields = [HeaderField("content-type", "audio/x-mpegurl"), HeaderField("cache-control", "no-cache")]
        guard answer.request.method == .get else {
            fields.append(HeaderField("content-length", String(count)))
            emit(.answerHead(id, AnswerHead(status: 200, fields: fields, bodyLength: 0)))
            emit(.answerEnd(id))
            return forget(answer)
        }
        emit(.answerHead(id, AnswerHead(status: 200, fields: fields, bodyLength: count)))
        answer.hasHead = true
        answer.channelWriter = writer
        pumpChannels(answer)
    }

    /// Gives as much of the list as the player's socket takes.
    mutating func pumpChannels(_ answer: Answer) {
        while answer.outstanding < Agent.relayWindow, let part = answer.channelWriter?.next(most: Agent.channelListPart)
        {
            guard !part.isEmpty else {
                emit(.answerEnd(answer.request.id))
                return forget(answer)
            }
            emit(.answerBytes(answer.request.id, part))
            answer.outstanding += part.count
        }
    }

    /// `GET /c/{slug}`: leads to the stream, which is opened when it is not open yet.
    mutating func openChannel(_ answer: Answer, slug: String, query: String?) {
        guard let channels else { return noChannels(answer) }
        guard let place = channels.place(ofSlug: slug), let listed = channels.url(at: place) else {
            return end(answer, status: 404, text: "no such channel; /channels.m3u lists them\n")
        }
        let url = query.flatMap { listed.adding(query: $0) } ?? listed
        // An earlier programme has segments of its own under numbers that the channel may use for others.
        let swarm = settings.swarmName ?? query.map { "\(listed.normalisedForSwarm())?\($0)" }
        answer.fallback = url
        lead(answer, to: StreamRequest(url: url.description, swarmName: swarm, fields: channels.fields(at: place)), url)
        if query == nil { zapped(to: place) }
    }

    private mutating func noChannels(_ answer: Answer) {
        end(answer, status: 404, text: "no list of channels here; start weir serve with --channels\n")
    }

    /// Answers with the address of the stream's local manifest as soon as it is open.
    mutating func lead(_ answer: Answer, to request: StreamRequest, _ url: WebURL) {
        if let known = stream(StreamID.derive(url: url)) {
            known.isAhead = false
            known.isOver = false
            if known.isOpen, let path = known.path {
                // What was warmed stays out of its swarm until somebody watches. At the first media request it is too
                // late: a player that reads fast has asked the origin for most before a peer could say what it holds.
                joinSwarm(known)
                return redirect(answer, to: path)
            }
        } else {
            // Opened without anybody to tell: the answer finds it by its address.
            open(OpenID(.max), request)
            stream(StreamID.derive(url: url))?.isOnDemand = true
        }
        guard let stream = stream(StreamID.derive(url: url)) else {
            return end(answer, status: 503, text: "too many streams are open\n")
        }
        answer.leads = true
        answer.content = .manifest(stream.top, stream)
        stream.top.waiting.append(answer.request.id)
        agenda.note(.answer(answer.request.id), at: now + Agent.firstByteTime)
    }

    mutating func redirect(_ answer: Answer, to location: String) {
        end(answer, status: 302, fields: [HeaderField("location", location)], text: "")
    }

    /// What was opened because a player asked for its address, and is watched no longer, makes room for the next:
    /// longest unwatched first.
    mutating func makeRoomForStream() {
        guard streams.count >= limits.streams else { return }
        let idle = streams.filter { stream in
            stream.isOnDemand && !stream.renditions.contains { isPlaying($0) }
                && !answers.values.contains { belongs($0, to: stream) }
        }
        let longest = idle.min { ($0.lastMediaRequest, $0.id) < ($1.lastMediaRequest, $1.id) }
        if let longest { remove(longest) }
    }
}

extension WebURL {
    /// With parameters behind those that it has; nil when it gets too long.
    func adding(query more: String) -> WebURL? {
        let whole = query.map { "\($0)&\(more)" } ?? more
        let url = WebURL(scheme: scheme, host: host, port: port, path: path, query: whole)
        return url.byteCount <= WebURL.maximumByteCount ? url : nil
    }
}
