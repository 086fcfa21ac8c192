import Logging
import NIOCore
import WeirCore

/// What the media of streams are, for `GET /v1/sessions`: looked at when somebody asks, one stream at a time, and known for
/// a while. Confined to the endpoint's event loop, which is what makes it Sendable.
final class Probes: @unchecked Sendable {
    private struct Finding {
        var stream: String
        var renditions: [String]
        var media: [String: [MediaReport]]
        var at: NIODeadline
    }

    private static let mostStreams = 64
    private static let mostRenditions = 16
    private static let mostBytes = 64 * 1024
    /// Media do not change often, and one that could not be read is not asked for all the time.
    private static let keptFor = TimeAmount.minutes(5)

    private let settings: ContinuousSettings
    private let loop: any EventLoop
    private let logger: Logger
    private var findings: [Finding] = []
    private var job: MediaJob?

    init(settings: ContinuousSettings, loop: any EventLoop, logger: Logger) {
        self.settings = settings
        self.loop = loop
        self.logger = logger
    }

    /// Adds what is known.
    func describe(_ sessions: inout [SessionReport]) {
        forgetOld()
        for index in sessions.indices {
            let finding = findings.first { $0.stream == sessions[index].id }
            for place in sessions[index].playlists.indices {
                let rendition = sessions[index].playlists[place].rendition
                sessions[index].playlists[place].media = finding?.media[rendition] ?? []
            }
        }
    }

    /// Has a stream looked at of which too little is known.
    /// - Parameter base: where the media program finds the endpoint.
    func look(at session: SessionReport, base: String) {
        forgetOld()
        let watched = renditions(of: session)
        let known = findings.first { $0.stream == session.id }
        if !watched.isEmpty, known?.renditions != watched { look(at: session, watched, base) }
    }

    private func forgetOld() {
        let oldest = NIODeadline.now() - Probes.keptFor
        findings.removeAll { $0.at < oldest }
    }

    /// What is played: of HLS whose list was read; a DASH manifest lists everything.
    private func renditions(of session: SessionReport) -> [String] {
        guard !session.path.isEmpty else { return [] }
        let played = session.playlists.filter { $0.segments > 0 && (!session.isDASH || $0.players > 0) }
        return played.prefix(Probes.mostRenditions).map { $0.rendition }
    }

    private func look(at session: SessionReport, _ renditions: [String], _ base: String) {
        guard job == nil, settings.isOn, settings.lack == nil else { return }
        let stream = session.id
        let lists = renditions.map { rendition in
            session.isDASH
                ? "\(base)\(session.path)?rendition=\(rendition)" : "\(base)/s/\(stream)/\(rendition)/index.m3u8"
        }
        job = MediaJob(
            settings.worker + ["probe"] + lists,
            mostBytes: Probes.mostBytes,
            within: settings.firstByteSeconds,
            loop: loop,
            onLine: { [logger] in logger.info("probe: \($0)") },
            onEnd: { [weak self] in self?.ended(stream, renditions, $0) }
        )
    }

    private func ended(_ stream: String, _ renditions: [String], _ result: MediaJob.Result) {
        job = nil
        var media: [String: [MediaReport]] = [:]
        switch result {
        case .failure(let reason): logger.info("probe: \(reason)")
        case .bytes(let bytes):
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
                let parts = line.split(separator: " ", maxSplits: 1)
                guard parts.count == 2, let place = Int(parts[0]), renditions.indices.contains(place),
                    let report = MediaReport(text: parts[1])
                else { continue }
                media[renditions[place], default: []].append(report)
            }
        }
        findings.removeAll { $0.stream == stream }
        if findings.count >= Probes.mostStreams { findings.removeFirst() }
        findings.append(Finding(stream: stream, renditions: renditions, media: media, at: .now()))
    }

    func shutDown() {
        job?.end()
        job = nil
    }
}
