// The base URLs of a DASH manifest: servers of a rendition, as pathways are of HLS.
extension Agent {
    /// Where a representation is, in the order in which the manifest wants its places tried.
    func places(of representation: Representation, in stream: Stream) -> [Place] {
        let isOnly = representation.bases.count == 1
        let places = representation.bases.map { base in
            let name = base.serviceLocation ?? (isOnly ? Place.defaultPathway : base.url.originKey)
            return Place(pathway: name, url: base.url, isBase: true)
        }
        guard !isOnly else { return places }
        var ordered: [Place] = []
        for priority in Set(representation.bases.map(\.priority)).sorted() {
            let equals = representation.bases.indices.filter { representation.bases[$0].priority == priority }
            let weights = equals.map { representation.bases[$0].weight }
            let isDrawn = weights.contains { $0 != nil }
            ordered += isDrawn ? drawn(equals.map { places[$0] }, weights, stream) : equals.map { places[$0] }
        }
        return ordered
    }

    /// Each agent draws its own order, by weight, and keeps it.
    private func drawn(_ places: [Place], _ weights: [UInt64?], _ stream: Stream) -> [Place] {
        var rest = Array(zip(places, weights.map { $0 ?? 1 }))
        var order: [Place] = []
        while !rest.isEmpty {
            let total = rest.reduce(0) { $0 + $1.1 }
            let names = rest.map { $0.0.server }.joined(separator: "|")
            let seed = Digest.sha256("base|\(stream.id.text)|\(names)").prefix ^ me.digest.prefix
            var lot = RandomSource.mix(seed) % total
            var place = 0
            while lot >= rest[place].1 {
                lot -= rest[place].1
                place += 1
            }
            order.append(rest.remove(at: place).0)
        }
        return order
    }

    /// From now on a representation's segments have their addresses under this base URL.
    mutating func list(_ representation: Representation, of rendition: Rendition, at place: Place) {
        rendition.place = place
        rendition.listedBy = place
        rendition.representation = ListedRepresentation(representation, at: place)
    }

    mutating func move(_ rendition: Rendition, to place: Place) {
        guard let listed = rendition.representation, listed.place != place else { return }
        list(listed.representation, of: rendition, at: place)
        readdress(rendition, isOtherServer: listed.place.server != place.server)
    }

    /// What is still to come of segments that are known already is asked at their new addresses.
    mutating func readdress(_ rendition: Rendition, isOtherServer: Bool) {
        guard let place = rendition.place else { return }
        for segment in rendition.allSegments where !segment.isHeld {
            guard let url = address(of: segment, at: place) else { continue }
            let old = segment.url
            segment.url = url
            addressChanged(segment, from: old, isOtherServer: isOtherServer)
        }
        replan(rendition.stream)
    }

    private func address(of segment: Segment, at place: Place) -> WebURL? {
        guard let listed = segment.rendition.representation else { return nil }
        guard segment.id.kind == .media else { return listed.sectionURL(at: place) }
        return listed.representation.slot(named: segment.id.number).flatMap { listed.url($0, at: place) }
    }

    /// Where else a segment can be asked. Of DASH the manifest says it; of HLS a list that was read for it.
    func noteOtherPlaces(_ segment: Segment) {
        let rendition = segment.rendition
        guard rendition.places.count > 1 else { return }
        guard rendition.isPresented else {
            if let url = besides(segment), url != segment.url, !segment.mirrors.contains(url) {
                segment.mirrors = Array(([url] + segment.mirrors).prefix(Agent.mostMirrors))
            }
            return
        }
        let others = rendition.stream.steering.ranked(rendition.places).filter {
            $0.server != rendition.place?.server && !rendition.stream.steering.isPenalised($0, at: now)
        }
        segment.mirrors = others.prefix(Agent.mostMirrors).compactMap { address(of: segment, at: $0) }
            .filter { $0 != segment.url }
    }
}
