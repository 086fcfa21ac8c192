import Testing
import WeirCore

/// Features of playlists on their whole way through an agent: what is asked of the origin, and what the player reads.
@Suite("Playlist features")
struct PlaylistFeatureTests {
    static let root = "http://o.example/tv/"
    let master = "\(root)master.m3u8"

    /// Opens a multivariant list, reads it, and answers its first rendition's list; the player's path of that.
    private func openRendition(_ probe: AgentProbe, _ masterText: String, _ list: String, at url: String) -> String {
        let path = probe.open(master, masterText)
        let index = local(probe.text(probe.ask(path)), "index.m3u8")
        let asked = probe.ask(index)
        guard let fetch = probe.fetches(url).last else { return "" }
        probe.answer(fetch.id, body: Array(list.utf8), url: fetch.request.url)
        #expect(probe.status(asked) == 200, "\(probe.text(asked))")
        return index
    }

    /// The last local path in a playlist that ends like this.
    private func local(_ text: String, _ suffix: String) -> String {
        text.split(whereSeparator: { "\n\"".contains($0) }).last { $0.hasPrefix("/s/") && $0.hasSuffix(suffix) }
            .map { String($0) } ?? ""
    }

    @Test("Variables of the multivariant list reach the media list's requests, and the player's copy stands alone")
    func variables() {
        let probe = AgentProbe()
        let index = openRendition(
            probe,
            "#EXTM3U\n#EXT-X-DEFINE:NAME=\"auth\",VALUE=\"token=7\"\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8?q=9\n",
            """
            #EXTM3U
            #EXT-X-TARGETDURATION:2
            #EXT-X-DEFINE:IMPORT="auth"
            #EXT-X-DEFINE:QUERYPARAM="q"
            #EXT-X-DATERANGE:ID="1",START-DATE="2026-02-19T14:54:27Z",X-ASSET-URI="http://ads/{$q}?{$auth}"
            #EXTINF:2,
            a{$q}.ts?{$auth}
            #EXT-X-ENDLIST

            """,
            at: "low.m3u8?q=9"
        )
        let text = probe.text(probe.ask(index))
        #expect(text.contains("#EXT-X-DEFINE:NAME=\"auth\",VALUE=\"token=7\"\n#EXT-X-DEFINE:NAME=\"q\",VALUE=\"9\"\n"))
        #expect(text.contains("X-ASSET-URI=\"http://ads/{$q}?{$auth}\""))
        _ = probe.ask(local(text, ".ts"))
        #expect(probe.fetches().last?.request.url == "\(PlaylistFeatureTests.root)a9.ts?token=7")
    }
}
