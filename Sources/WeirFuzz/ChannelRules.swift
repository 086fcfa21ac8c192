import WeirCore

/// A channel list for players has the same channels, in their order, at local addresses.
enum ChannelRules {
    private static let local = "http://127.0.0.1:8090"

    static func check(_ bytes: [UInt8]) throws(Fault) {
        for base in [nil, WebURL("https://origin.example/lists/all.m3u")] {
            // Orderly refusals are no fault.
            guard let list = try? ChannelList(parsing: bytes, base: base) else { continue }
            try check(list, bytes)
        }
    }

    private static func check(_ list: ChannelList, _ bytes: [UInt8]) throws(Fault) {
        let written = list.rewritten(base: local)
        let again: ChannelList
        do throws(ChannelListError) {
            again = try ChannelList(parsing: written)
        } catch {
            throw Fault("the local list is refused: \(error)")
        }
        try demandEqual(again.count, list.count, "channels")
        for place in 0..<list.count {
            try demandEqual(again.url(at: place)?.description, local + list.localPath(at: place), "address")
            try demandEqual(again.fields(at: place), list.fields(at: place), "fields of channel \(place)")
            // The same channel twice is one.
            let named = list.place(ofSlug: list.slug(at: place)).flatMap { list.url(at: $0) }
            try demandEqual(named, list.url(at: place), "channel \(list.slug(at: place))")
            try demand(LocalPath(target: list.localPath(at: place)) != nil, "no path: \(list.localPath(at: place))")
        }
        let others = zip(lines(written), lines(bytes)).filter { $0 != $1 }
        try demandEqual(lines(written).count, lines(bytes).count, "lines")
        try demand(others.count <= list.count, "\(others.count) lines changed for \(list.count) channels")
    }

    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
    }
}
