import Testing
import WeirCore

@testable import WeirLab

@Suite("Media made bad")
struct MediaMutationTests {
    /// Boxes, packets and frames at once: something for each mutation to find.
    private var media: [UInt8] {
        let table = BoxTree.box("stts", [0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1])
        let description = BoxTree.box("avcC", [UInt8](repeating: 7, count: 40))
        let boxes = BoxTree.box("moov", BoxTree.box("trak", table + description)) + BoxTree.box("mdat", [1, 2, 3, 4])
        let frames = (0..<200).flatMap { _ in [0xFF, 0xF1] + [UInt8](repeating: 3, count: 60) }
        let packets = (0..<100).flatMap { _ in [0x47] + [UInt8](repeating: 9, count: 187) }
        return boxes + frames + packets
    }

    @Test("Each of them changes media, the same way for the same seed", arguments: MediaMutation.allCases)
    func seeds(mutation: MediaMutation) {
        for seed in UInt64(0)..<4 {
            var (one, other) = (RandomSource(seed: seed), RandomSource(seed: seed))
            let changed = mutation.apply(to: media, &one)
            #expect(changed == mutation.apply(to: media, &other))
            // What overwrites a byte at random may write what was there.
            if [.truncated, .randomBytes, .empty, .nestedBoxes, .endlessTables, .dropped, .repeated].contains(mutation)
            {
                #expect(changed != media, "\(seed)")
            }
        }
    }

    @Test("Nothing is made of nothing, and what is no media is no trap", arguments: MediaMutation.allCases)
    func odd(mutation: MediaMutation) {
        var random = RandomSource(seed: 1)
        #expect(mutation.apply(to: [], &random).isEmpty)
        for count in [1, 7, 8, 188, 500] {
            let noise = MediaMutation.noise(count, &random)
            _ = mutation.apply(to: noise, &random)
            _ = mutation.apply(to: [UInt8](repeating: 0, count: count), &random)
        }
    }
}
