import ArgumentParser
import WeirCore
import WeirFuzz
import WeirLab

/// Others' playlists and manifests, held to what fuzzing demands of ours.
struct CorporaBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corpora",
        abstract: "Reads every playlist and manifest in folders, and demands that rewriting keeps what they mean.",
        discussion: """
            Takes files that are an HLS playlist, a list of channels or a DASH manifest by their content, whatever \
            they are called, and those in string literals of sources (C++, Go, Java, JavaScript, Kotlin, Python, \
            Rust, Swift, TypeScript), so that a checkout of another project can be given as it is. Each is parsed, \
            rewritten and read again as a player would, with the rules of Scripts/fuzz. Ends with 1 when one of them \
            is a surprise: not refused, and not the same afterwards.
            """
    )

    @Argument(help: "Folders, each a row of the table.") var folders: [String]
    @Flag(help: "Name each document that is refused, with the reason.") var refusals = false

    func run() throws {
        var table = TextTable([
            "folder", "playlists", "accepted", "channel lists", "refused", "manifests", "accepted", "refused",
            "surprises",
        ])
        var all = CorpusCount()
        for folder in folders {
            let count = CorpusCount(of: try Corpus(folder: folder))
            table.add([name(of: folder)] + count.cells)
            for surprise in count.surprises { print("\(folder)/\(surprise)") }
            if refusals { for refusal in count.refusals { print("\(folder)/\(refusal.name): \(refusal.reason)") } }
            all.add(count)
        }
        if folders.count > 1 { table.add(["all"] + all.cells) }
        print("\n" + table.text)
        var reasons = TextTable(["refused because", "documents"])
        for (reason, count) in all.reasons { reasons.add([reason, String(count)]) }
        print(reasons.text)
        if !all.surprises.isEmpty { throw ExitCode(1) }
    }

    private func name(of folder: String) -> String { folder.split(separator: "/").last.map { String($0) } ?? folder }
}

/// What became of the documents of a corpus.
private struct CorpusCount {
    private var accepted: [Corpus.Document.Kind: Int] = [:]
    private var refused: [Corpus.Document.Kind: Int] = [:]
    private var channelLists = 0
    private(set) var refusals: [(name: String, reason: String)] = []
    /// Each a name, and what does not hold.
    private(set) var surprises: [String] = []

    init() {}

    init(of corpus: Corpus) {
        for document in corpus.documents { add(document) }
    }

    mutating func add(_ other: CorpusCount) {
        accepted.merge(other.accepted, uniquingKeysWith: +)
        refused.merge(other.refused, uniquingKeysWith: +)
        channelLists += other.channelLists
        refusals += other.refusals
        surprises += other.surprises
    }

    private mutating func add(_ document: Corpus.Document) {
        let targets: [FuzzTarget] = document.kind == .manifest ? [.mpd] : [.playlist, .m3u]
        for target in targets {
            if let fault = target.fault(in: document.bytes) { surprises.append("\(document.name): \(fault)") }
        }
        guard let reason = CorpusCount.refusal(document) else {
            accepted[document.kind, default: 0] += 1
            return
        }
        if document.kind == .playlist, (try? ChannelList(parsing: document.bytes)) != nil {
            channelLists += 1
        } else {
            refused[document.kind, default: 0] += 1
            refusals.append((document.name, reason))
        }
    }

    /// One line; nil when the document is taken.
    private static func refusal(_ document: Corpus.Document) -> String? {
        guard let url = WebURL("https://origin.example/tv/one/document?session=42") else { return "no address" }
        switch document.kind {
        case .manifest:
            do throws(MPDError) { _ = try MPD.parse(document.bytes, url: url, limits: Limits()) } catch {
                return error.description
            }
        case .playlist:
            do throws(PlaylistError) { _ = try HLSPlaylist.parse(document.bytes, url: url, limits: Limits()) } catch {
                return error.description
            }
        }
        return nil
    }

    /// Without line numbers, the most frequent first.
    var reasons: [(String, Int)] {
        var counts: [String: Int] = [:]
        for refusal in refusals {
            let words = refusal.reason.split(separator: " ")
            let line = words.firstIndex { $0 == "line" }
            let kept = words.enumerated().filter { line == nil || $0.offset != line && $0.offset != (line ?? 0) + 1 }
            counts[kept.map { String($0.element) }.joined(separator: " "), default: 0] += 1
        }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }

    var cells: [String] {
        let kinds: [Corpus.Document.Kind] = [.playlist, .manifest]
        let counts = kinds.map { kind in (accepted[kind] ?? 0, refused[kind] ?? 0) }
        return [
            counts[0].0 + counts[0].1 + channelLists, counts[0].0, channelLists, counts[0].1,
            counts[1].0 + counts[1].1, counts[1].0, counts[1].1, surprises.count,
        ].map { String($0) }
    }
}
