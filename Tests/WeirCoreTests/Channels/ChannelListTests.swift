import Testing

@testable import WeirCore

@Suite("Lists of channels")
struct ChannelListTests {
    private func list(_ text: String, base: String? = nil, limits: Limits = Limits()) throws -> ChannelList {
        try ChannelList(parsing: Array(text.utf8), base: base.flatMap { WebURL($0) }, limits: limits)
    }

    private func slugs(_ list: ChannelList) -> [String] { (0..<list.count).map { list.slug(at: $0) } }

    private func refusal(_ text: String, limits: Limits = Limits()) -> ChannelListError? {
        do {
            _ = try list(text, limits: limits)
            return nil
        } catch {
            return error as? ChannelListError
        }
    }

    private let sample = """
        #EXTM3U url-tvg="http://guide.example/epg.xml" x-tvg-url="http://guide.example/2.xml" refresh="3600"\r
        #EXTINF:-1 tvg-id="One.example" tvg-logo="http://l.example/1,2.png" group-title="News, late",Channel One\r
        #EXTGRP:News\r
        #EXTVLCOPT:http-user-agent=Mozilla/5.0 (X11)\r
        #KODIPROP:inputstream=inputstream.adaptive\r
        http://tv.example/one/index.m3u8?token=a%2Fb\r
        \r
        # a comment\r
        #EXTINF:-1 catchup="append" catchup-days="7" catchup-source="?utc={utc}&lutc={lutc}",Zwei & Drei\r
        https://tv.example/two/manifest.mpd|User-Agent=Kodi\r
        #EXTINF:-1,Radio\r
        rtp://@239.0.0.1:5000\r
        """

    @Test("Every channel gets its slug and its address; all other bytes stay as they came, mark and line ends too")
    func rewriting() throws {
        let text = "\u{FEFF}" + sample
        let list = try list(text)
        #expect(slugs(list) == ["one-example", "zwei-drei"])
        #expect(list.foreignCount == 1)
        #expect(list.url(at: 0)?.description == "http://tv.example/one/index.m3u8?token=a%2Fb")
        #expect(list.url(at: 1)?.description == "https://tv.example/two/manifest.mpd")
        let expected =
            text
            .replacing("http://tv.example/one/index.m3u8?token=a%2Fb", with: "http://h:1/c/one-example.m3u8")
            .replacing("https://tv.example/two/manifest.mpd|", with: "http://h:1/c/zwei-drei.mpd|")
        #expect(list.rewritten(base: "http://h:1") == Array(expected.utf8))
    }

    @Test("A list from an address resolves its channels there; one from a file leaves relative ones alone")
    func relative() throws {
        let text = "#EXTM3U\n#EXTINF:-1,A\nlive/a.m3u8\n#EXTINF:-1,B\n/b.m3u8\n#EXTINF:-1,C\n//c.example/c.m3u8\n"
        let remote = try list(text, base: "https://tv.example/lists/all.m3u?x=1")
        #expect(
            (0..<3).map { remote.url(at: $0)?.description } == [
                "https://tv.example/lists/live/a.m3u8", "https://tv.example/b.m3u8", "https://c.example/c.m3u8",
            ]
        )
        let local = try list(text)
        #expect(local.count == 0 && local.foreignCount == 3)
        #expect(local.rewritten(base: "http://h:1") == Array(text.utf8))
    }

    @Test("What a list says of how a server wants to be asked is that channel's alone")
    func fields() throws {
        let text = """
            #EXTM3U
            #EXTVLCOPT:http-user-agent=Box/1.0 (a=b)\r
            #EXTVLCOPT:http-referrer=http://r.example/\r
            #EXTVLCOPT:network-caching=1000
            http://a.example/1\r
            #EXTVLCOPT:http-user-agent=Other
            rtp://x
            #EXTINF:-1,Two
            http://a.example/2
            #KODIPROP:inputstream.adaptive.stream_headers=User-Agent=K%20odi&Cookie=secret
            http://a.example/3 | Referer=http%3A%2F%2Fr2.example&User-Agent=Last
            #EXTVLCOPT:http-user-agent=\u{7}
            http://a.example/4|x
            """
        let list = try list(text)
        #expect(
            list.fields(at: 0) == [
                HeaderField("user-agent", "Box/1.0 (a=b)"), HeaderField("referer", "http://r.example/"),
            ]
        )
        #expect(list.fields(at: 1).isEmpty)
        #expect(list.fields(at: 2) == [HeaderField("referer", "http://r2.example"), HeaderField("user-agent", "Last")])
        #expect(list.fields(at: 3).isEmpty)
    }

    @Test("Namesakes get suffixes that do not depend on their order, and the bare name is the first one's")
    func namesakes() throws {
        let channels = [
            "#EXTINF:-1 tvg-id=\"x\",X HD\nhttp://a.example/hd.m3u8?t=1\n",
            "#EXTINF:-1 tvg-id=\"x\",X SD\nhttp://a.example/sd.m3u8\n",
            "#EXTINF:-1 tvg-id=\"X!\",X SD\nhttp://a.example/play?id=7\n",
            "#EXTINF:-1 tvg-id=\"X!\",X SD\nhttp://a.example/play?id=8\n",
            "#EXTINF:-1 tvg-id=\"y\",Y\nhttp://a.example/y.m3u8\n",
        ]
        func named(_ order: [Int], token: String = "1") throws -> [String: String] {
            let text = "#EXTM3U\n" + order.map { channels[$0] }.joined()
            let list = try list(text.replacing("t=1", with: "t=\(token)"))
            var names: [String: String] = [:]
            for place in 0..<list.count {
                #expect(list.place(ofSlug: list.slug(at: place)) == place)
                names["\(list.url(at: place)?.description.replacing("t=\(token)", with: "") ?? "")"] =
                    list.slug(at: place)
            }
            #expect(list.place(ofSlug: "x") == 0)
            #expect(list.place(ofSlug: "x-") == nil)
            return names
        }
        let names = try named([0, 1, 2, 3, 4])
        #expect(Set(names.values).count == 5)
        #expect(names["http://a.example/y.m3u8"] == "y")
        #expect(try named([0, 4, 3, 1, 2]) == names)
        // A token that is minted anew with every list changes no name.
        #expect(try named([2, 0, 3, 1, 4], token: "other") == names)
    }

    @Test("Names that no path can carry, and missing ones, become stable names of their own")
    func unnameable() throws {
        let text =
            "#EXTM3U\n#EXTINF:-1,Первый\nhttp://a.example/1\n#EXTINF:-1,ТВ\nhttp://a.example/2\nhttp://a.example/3\n"
        let list = try list(text)
        #expect(Set(slugs(list)).count == 3)
        for slug in slugs(list) {
            #expect(slug.hasPrefix("channel-") && slug.utf8.count == 18)
            #expect(LocalPath(target: "/c/\(slug).m3u8") == .channel(slug: slug, suffix: "m3u8", query: nil))
        }
    }

    @Test(
        "The name begins behind the first comma that no quotation encloses",
        arguments: [
            ("-1 a=\"1,2\" b=\"3\",Name, more", "name-more"), ("-1,Plain", "plain"), ("-1 a=\"open,Name", "name"),
            ("-1 tvg-id=\"\",Name", "name"), ("-1 TVG-ID=\" Id \",Name", "id"), ("-1 x-tvg-id=\"no\",Name", "name"),
            ("-1 tvg-id = \"Id\" ,Name", "id"), ("0 tvg-name=\"n\" tvg-id=\"Id\"", "id"),
        ]
    )
    func names(information: String, slug: String) throws {
        #expect(try slugs(list("#EXTM3U\n#EXTINF:\(information)\nhttp://a.example/1\n")) == [slug])
    }

    @Test("What is no list of channels is refused in words")
    func refusals() {
        #expect(refusal("") == .notAList)
        #expect(refusal("<html>") == .notAList)
        #expect(refusal("#EXTM3U\n#EXTINF:-1,A\n") == .empty)
        #expect(refusal("#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\na.ts\n") == .stream)
        #expect(refusal("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n") == .stream)
        var limits = Limits()
        limits.channels = 1
        #expect(
            refusal("#EXTM3U\nhttp://a.example/1\nhttp://a.example/2\n", limits: limits) == .tooManyChannels(limit: 1)
        )
        limits.channelListBytes = 10
        #expect(refusal("#EXTM3U\nhttp://a.example/1\n", limits: limits) == .tooLarge(limit: 10))
        for error in [ChannelListError.notAList, .stream, .empty, .tooLarge(limit: 1), .tooManyChannels(limit: 1)] {
            #expect(!error.description.contains("\n") && !error.description.isEmpty)
        }
    }

    @Test("A hundred thousand channels, all with one name, are told apart")
    func large() throws {
        var text = "#EXTM3U\n"
        for number in 0..<100_000 { text += "#EXTINF:-1 tvg-id=\"same\",Same\nhttp://a.example/\(number).m3u8\n" }
        let list = try list(text)
        #expect(list.count == 100_000)
        #expect(Set(slugs(list)).count > 99_990)
        let last = list.slug(at: 99_999)
        #expect(list.place(ofSlug: last).flatMap { list.url(at: $0)?.description } == "http://a.example/99999.m3u8")
        #expect(list.contains(try WebURL(parsing: "http://a.example/77777.m3u8")))
        #expect(!list.contains(try WebURL(parsing: "http://a.example/x/77777.m3u8")))
    }

    @Test(
        "Whatever the bytes: no trap, nothing but addresses changes, and what was written means the same",
        arguments: 0..<200
    )
    func random(seed: Int) throws {
        var random = RandomSource(seed: UInt64(seed))
        let pieces = [
            "#EXTINF:-1", " tvg-id=\"", "\"", ",", "Name", "\n", "\r\n", "http://a.example/x", "|h=1", "#EXTGRP:g", " ",
            "?q=1", "=", "é", "#KODIPROP:a=b", "rtp://x", "\u{0}", "#", "/r.m3u8", "\u{FEFF}",
        ]
        var text = "#EXTM3U\nhttp://a.example/first\n"
        for _ in 0..<Int(random.next() % 60) { text += pieces[Int(random.next() % UInt64(pieces.count))] }
        let list = try list(text, base: "http://b.example/l/list.m3u")
        let written = list.rewritten(base: "http://127.0.0.1:8090")
        // In parts as at once.
        var writer = ChannelList.Writer(list, base: "http://127.0.0.1:8090")
        let total = writer.totalCount
        var parts: [UInt8] = []
        while case let part = writer.next(most: 1 + Int(random.next() % 9)), !part.isEmpty { parts += part }
        #expect(parts == written && total == written.count)
        let again = try ChannelList(parsing: written)
        #expect(again.count == list.count)
        #expect(again.foreignCount == list.foreignCount)
        for place in 0..<list.count {
            _ = list.fields(at: place)
            #expect(again.url(at: place)?.description == "http://127.0.0.1:8090" + list.localPath(at: place))
        }
        // Without the addresses both are the same.
        func rest(_ list: ChannelList) -> [UInt8] {
            var kept: [UInt8] = []
            var index = 0
            for entry in list.entries {
                kept += list.bytes[index..<Int(entry.address.start)]
                index = Int(entry.address.end)
            }
            return kept + list.bytes[index...]
        }
        #expect(rest(again) == rest(list))
    }
}
