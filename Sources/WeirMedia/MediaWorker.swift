import CLibAV
package import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The process that remuxes one stream into one container: a client of its agent, and the only place where libav runs.
/// What happens to it happens to nobody else.
package enum MediaWorker {
    /// Bytes of private memory that the process may have: queues, libav, and the program itself.
    private static let memory: UInt = 320 * 1024 * 1024

    /// Sound that is apart begins so much earlier: what is too early can be cut.
    private static let soundLead = WeirCore.Duration.seconds(2)

    package struct Order: Sendable {
        /// The stream's manifest at the agent.
        package var manifest: WebURL
        package var format: ContinuousFormat
        /// Microseconds at which the output's time begins.
        package var begin: Int64
        /// Write the container alone, without records around it.
        package var isPlain: Bool
        /// Media of a live stream that leave before the clock's pace.
        package var lead = WeirCore.Duration.seconds(1)
        /// The manifest says where to begin: at the keyframe at or before that, and as fast as it is read.
        package var isShifted = false

        package init(manifest: WebURL, format: ContinuousFormat, begin: Int64, isPlain: Bool) {
            self.manifest = manifest
            self.format = format
            self.begin = begin
            self.isPlain = isPlain
        }
    }

    /// Works to the end of the stream, or until nobody reads any more.
    /// - Parameter note: takes a line for the log.
    /// - Returns: why it could not go on; nil when the stream is over or nobody reads.
    package static func run(_ order: Order, note: @escaping (String) -> Void) -> String? {
        RecordWriter.answering(isPlain: order.isPlain) { writer in
            let readers = try sources(order.manifest, distance: order.lead).map { source in
                source.tellDamage = { url, reason in
                    try? writer.write(.damagedSegment, damage(url, reason), time: 0)
                }
                return RenditionReader(source) { text in
                    note(text)
                    try? writer.write(.damage, Array(text.utf8.prefix(512)), time: 0)
                }
            }
            let lead = order.isShifted ? nil : order.lead
            try Remuxer(readers, format: order.format, sink: writer, begin: order.begin, lead: lead).run()
        }
    }

    /// The body of the record that tells of a damaged segment.
    static func damage(_ url: WebURL, _ reason: String) -> [UInt8] { Array("\(url.path)\n\(reason)".utf8) }

    /// Reads the manifest and chooses the renditions.
    /// - Parameter distance: from the live end, where they begin at least.
    static func sources(_ manifest: WebURL, distance: WeirCore.Duration) throws -> [RenditionSource] {
        let bytes = try LocalAnswer(.init(url: manifest), agent: manifest).readAll(upTo: Limits().manifestBytes)
        if MPD.isXML(bytes) {
            return try presentation(MPD.parse(bytes, url: manifest, limits: Limits()), manifest, distance)
        }
        func source(_ list: WebURL, _ start: WeirCore.Duration?, lead: WeirCore.Duration = .zero) -> RenditionSource {
            RenditionSource(playlist: list, agent: manifest, start: start, distance: distance, lead: lead)
        }
        switch try HLSPlaylist.parse(bytes, url: manifest, limits: Limits()) {
        case .media: return [source(manifest, nil)]
        case .multivariant(let list):
            guard let choice = RenditionChoice(list) else { throw RemuxFault("the stream has no renditions") }
            let main = source(choice.main, list.startOffset)
            return [main] + [choice.audio].compactMap(\.self).map { source($0, list.startOffset, lead: soundLead) }
        }
    }

    private static func presentation(
        _ mpd: MPD,
        _ manifest: WebURL,
        _ distance: WeirCore.Duration
    ) throws -> [RenditionSource] {
        let isOne = PresentationWish(query: manifest.query).rendition != nil
        let there = [Representation.Content.video, .audio].filter { content in
            isOne || mpd.periods.contains { PresentationWalk.choice(content, in: $0) != nil }
        }
        guard !there.isEmpty else { throw RemuxFault("the manifest has no picture or sound that weir carries") }
        return there.prefix(isOne ? 1 : there.count).map { content in
            RenditionSource(
                presentation: manifest,
                content: content,
                agent: manifest,
                distance: distance,
                lead: content == .audio ? soundLead : .zero
            )
        }
    }

    /// A hostile stream may make libav ask for any amount of memory, and have much to say.
    static func confine() {
        av_log_set_level(weir_log_errors())
        var limit = rlimit(rlim_cur: memory, rlim_max: memory)
        #if canImport(Glibc)
            setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
        #else
            setrlimit(RLIMIT_DATA, &limit)
        #endif
    }
}
