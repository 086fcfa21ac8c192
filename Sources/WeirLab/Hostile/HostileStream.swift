import FoundationEssentials
import NIOCore
import WeirCore

/// Recordings of four segments, some of them bad: `/ts/17/index.m3u8` is number 17 of MPEG-TS, the same each time it is
/// asked for. Good segments lie between the bad ones.
package final class HostileStream: OriginContent {
    package enum Kind: String, CaseIterable, Sendable {
        case ts, mp4, aac

        fileprivate var suffix: String { self == .mp4 ? "m4s" : rawValue }

        /// What may befall media of this kind.
        fileprivate var mutations: [MediaMutation] {
            let own: [MediaMutation] =
                switch self {
                case .ts: [.packetHeads, .packetHeads, .parameterSets, .frameHeads]
                case .mp4: [.boxSizes, .boxSizes, .boxNames, .nestedBoxes, .endlessTables, .parameterSets]
                case .aac: [.frameHeads, .frameHeads]
                }
            return own + [.truncated, .bitFlips, .randomBytes, .randomRun, .zeros, .repeated, .dropped, .empty]
        }
    }

    package static let segments = 4

    private let sections: [UInt8]
    private let media: [Kind: [[UInt8]]]

    /// - Parameter directory: with what `Scripts/media` makes as `small-ts`, `small-mp4` and `small-aac`.
    package init(directory: String) throws {
        func read(_ path: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(fileURLWithPath: directory + "/" + path)))
        }
        var media: [Kind: [[UInt8]]] = [:]
        for kind in Kind.allCases {
            media[kind] = try (0..<HostileStream.segments).map {
                try read("small-\(kind.rawValue)/\($0).\(kind.suffix)")
            }
        }
        self.media = media
        sections = try read("small-mp4/init.mp4")
    }

    package static func path(_ kind: Kind, _ number: Int) -> String { "/\(kind.rawValue)/\(number)/index.m3u8" }

    package func resource(path: String) async -> OriginResource? {
        let parts = path.split(separator: "/")
        guard parts.count == 3, let kind = Kind(rawValue: String(parts[0])), let number = UInt64(parts[1]) else {
            return nil
        }
        let bytes: [UInt8]?
        switch parts[2] {
        case "index.m3u8": bytes = Array(list(kind, number).utf8)
        case "init.mp4": bytes = changed(sections, kind, number, HostileStream.segments, share: 3)
        default:
            let place = Int(parts[2].prefix { $0 != "." }) ?? HostileStream.segments
            bytes = place < HostileStream.segments ? segment(kind, number, place) : nil
        }
        return bytes.map {
            OriginResource(bytes: ByteBuffer(bytes: $0), contentType: OriginResource.contentType(ofPath: path))
        }
    }

    private func list(_ kind: Kind, _ number: UInt64) -> String {
        var lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-TARGETDURATION:2"]
        if kind == .mp4 { lines.append("#EXT-X-MAP:URI=\"init.mp4\"") }
        for place in 0..<HostileStream.segments {
            // One stream after another, or one that goes on.
            if number % 2 == 0, place > 0 { lines.append("#EXT-X-DISCONTINUITY") }
            lines += ["#EXTINF:2,", "\(place).\(kind.suffix)"]
        }
        return lines.joined(separator: "\n") + "\n#EXT-X-ENDLIST\n"
    }

    private func segment(_ kind: Kind, _ number: UInt64, _ place: Int) -> [UInt8]? {
        guard let good = media[kind]?[place] else { return nil }
        // Number 0 is a good one.
        return number == 0 ? good : changed(good, kind, number, place, share: place == 0 ? 2 : 3)
    }

    /// One of so many stays good.
    private func changed(_ good: [UInt8], _ kind: Kind, _ number: UInt64, _ place: Int, share: Int) -> [UInt8] {
        let index = Kind.allCases.firstIndex(of: kind) ?? 0
        var random = RandomSource(seed: number &* 64 &+ UInt64(8 * index + place))
        let stays =
            place == HostileStream.segments
            ? Int.random(in: 0..<share, using: &random) > 0
            : Int.random(in: 0..<share, using: &random) == 0
        guard number > 0, !stays else { return good }
        let mutations = kind.mutations
        var bytes = good
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            bytes = mutations[Int.random(in: 0..<mutations.count, using: &random)].apply(to: bytes, &random)
        }
        return bytes
    }
}
