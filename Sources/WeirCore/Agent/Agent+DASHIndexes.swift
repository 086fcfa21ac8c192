/// The segment index of one representation, read range by range.
///
/// Life: `reading → done`, `reading → failed`.
final class IndexReading {
    enum State { case reading, done, failed }

    let key: RenditionKey
    /// Under the first base URL, which tells it apart from another one.
    let resource: Representation.Resource
    /// Where it can be had, what is asked now first.
    var places: [WebURL]
    unowned let stream: Stream
    var reader: SegmentIndexReader
    /// What is being read.
    var range: ByteRange
    var state = State.reading

    init(
        _ representation: Representation,
        _ index: Representation.Resource,
        range: ByteRange,
        _ stream: Stream,
        limits: Limits
    ) {
        key = representation.key
        resource = index
        places = representation.bases.map(\.url)
        self.stream = stream
        self.range = range
        reader = SegmentIndexReader(range: range, limits: limits)
    }

    /// What it says, unless the manifest now names another place.
    func finished(for representation: Representation) -> SegmentIndexReader? {
        state == .done && representation.index == resource ? reader : nil
    }
}

// A representation in one file is cut where its index says: without it whole files would be the pieces.
extension Agent {
    static let indexReadsAtOnce = 8
    static let mostIndexes = 256

    /// Reads what is missing for the coming copy, or adopts it.
    mutating func readIndexes(_ manifest: Manifest, _ stream: Stream) {
        guard let mpd = manifest.coming else { return }
        let indexed = mpd.representations.filter { $0.index != nil }.prefix(Agent.mostIndexes)
        manifest.indexes = manifest.indexes.filter { known in indexed.contains { $0.key == known.key } }
        var reading = manifest.indexes.values.count { $0.state == .reading }
        for representation in indexed where reading < Agent.indexReadsAtOnce {
            guard let index = representation.index, let range = index.range else { continue }
            if let known = manifest.indexes[representation.key], known.resource == index { continue }
            guard range.length <= Int64(limits.indexBytes) else { continue }
            let own = IndexReading(representation, index, range: range, stream, limits: limits)
            manifest.indexes[representation.key] = own
            fetchIndex(own)
            reading += 1
        }
        if reading == 0, stream.steering.awaitedUntil == nil { adoptPresentation(manifest, stream) }
    }

    private mutating func fetchIndex(_ reading: IndexReading) {
        let url = reading.places.first ?? reading.resource.url
        let last = reading.range.offset + reading.range.length - 1
        let request = FetchRequest(
            url: url.description,
            fields: [HeaderField("range", "bytes=\(reading.range.offset)-\(last)")],
            purpose: .manifest
        )
        _ = begin(request, purpose: .index(reading), host: url.originKey)
    }

    mutating func indexBody(_ reading: IndexReading, _ payload: any Payload, _ fetch: Fetch) {
        guard let head = fetch.head, head.status == 206 || head.status == 200 else { return }
        fetch.body += payload.bytes()
        // A source that ignores ranges sends from the beginning.
        let first = head.status == 200 ? reading.range.offset : 0
        guard Int64(fetch.body.count) >= first + reading.range.length else {
            if fetch.body.count > limits.indexBytes + Chunk.byteCount {
                cancel(fetch)
                indexFailed(reading, why: "the source ignores ranges")
            }
            return
        }
        cancel(fetch)
        indexRead(reading, fetch)
    }

    mutating func indexEnded(_ reading: IndexReading, _ fetch: Fetch, _ end: FetchEnd) {
        guard end == .complete, fetch.head?.status == 206 || fetch.head?.status == 200 else {
            return indexFailed(reading, why: fetch.head.map { "status \($0.status)" } ?? reason(of: end))
        }
        // Shorter than was asked: a manifest may name a range beyond the end.
        indexRead(reading, fetch)
    }

    private mutating func indexRead(_ reading: IndexReading, _ fetch: Fetch) {
        let isWhole = fetch.head?.status == 200
        if !isWhole {
            let range = ContentRange(fetch.head?.first("content-range") ?? "")
            guard range?.first == reading.range.offset else { return indexFailed(reading, why: "another range") }
        }
        let body = isWhole ? fetch.body.dropFirst(Int(reading.range.offset)) : fetch.body[...]
        do {
            try reading.reader.add(Array(body.prefix(Int(reading.range.length))), at: reading.range.offset)
        } catch {
            return indexFailed(reading, why: "\(error)")
        }
        if let next = reading.reader.missing.first {
            reading.range = next
            return fetchIndex(reading)
        }
        reading.state = .done
        readIndexes(reading.stream.top, reading.stream)
    }

    private mutating func indexFailed(_ reading: IndexReading, why: String) {
        if reading.places.count > 1 {
            reading.places.removeFirst()
            return fetchIndex(reading)
        }
        reading.state = .failed
        log(
            .notice,
            "a segment index cannot be read; its representation is left to the origin",
            [("stream", reading.stream.id.text), ("why", why)]
        )
        readIndexes(reading.stream.top, reading.stream)
    }
}
