/// Addresses behind small numbers that local paths carry. The oldest are forgotten once there are many more than the
/// newest playlists name, so that tokens minted anew with every list do not grow it for ever.
struct URLTable {
    private var urls: [WebURL] = []
    private var places: [WebURL: Int] = [:]
    /// How many were forgotten: numbers never change their meaning.
    private var forgotten = 0

    /// Kept at least, whatever the playlists are like.
    static let least = 4096

    subscript(_ place: Int) -> WebURL? {
        place >= forgotten && place - forgotten < urls.count ? urls[place - forgotten] : nil
    }

    /// Where a URL stands, added at the end when it is new.
    mutating func place(of url: WebURL) -> Int {
        if let known = places[url] { return known }
        urls.append(url)
        places[url] = forgotten + urls.count - 1
        return forgotten + urls.count - 1
    }

    /// What a number stands for is now to be had at another address.
    mutating func replace(_ old: WebURL, with new: WebURL) {
        guard old != new, let place = places[old], places[new] == nil else { return }
        urls[place - forgotten] = new
        places[old] = nil
        places[new] = place
    }

    /// Forgets the oldest, if there are twice as many as `count`.
    mutating func limit(to count: Int) {
        let most = max(URLTable.least, count)
        guard urls.count > 2 * most else { return }
        let surplus = urls.count - most
        for url in urls.prefix(surplus) { places[url] = nil }
        urls.removeFirst(surplus)
        forgotten += surplus
    }
}
