import Testing

@testable import WeirLab

@Suite("Playback")
struct PlaybackTests {
    @Test("Playing starts with the first segment and drains in real time")
    func plays() {
        var playback = Playback()
        playback.advance(to: 5)
        #expect(playback.state == .waiting)
        playback.append(2, at: 5)
        playback.advance(to: 6)
        #expect(playback.state == .playing)
        #expect(playback.buffer == 1)
        #expect(playback.playedSeconds == 1)
    }

    @Test("A dry buffer is one stall, for as long as it lasts")
    func stalls() {
        var playback = Playback()
        playback.append(2, at: 0)
        playback.advance(to: 3)
        playback.advance(to: 4)
        #expect(playback.state == .stalled)
        playback.append(2, at: 5)
        #expect(playback.state == .playing)
        #expect(playback.stalls == 1)
        #expect(playback.stallSeconds == 3)
        #expect(playback.playedSeconds == 2)
    }

    @Test("A segment that comes at the very moment the buffer is dry makes no stall")
    func justInTime() {
        var playback = Playback()
        playback.append(2, at: 0)
        playback.append(2, at: 2)
        playback.advance(to: 3)
        #expect(playback.stalls == 0)
        #expect(playback.buffer == 1)
    }

    @Test("The end of the stream is no stall")
    func ends() {
        var playback = Playback()
        playback.append(2, at: 0)
        playback.finish(at: 1)
        #expect(playback.state == .playing)
        playback.advance(to: 10)
        #expect(playback.state == .ended)
        #expect(playback.stalls == 0)
        #expect(playback.playedSeconds == 2)
    }

    @Test("A clock that goes back does nothing")
    func backwards() {
        var playback = Playback()
        playback.append(4, at: 10)
        playback.advance(to: 9)
        playback.advance(to: 11)
        #expect(playback.buffer == 3)
    }
}

@Suite("A viewer's playlists")
struct ViewedPlaylistTests {
    @Test("Media playlists give numbers, durations, resolved addresses and ranges")
    func media() throws {
        let text = """
            #EXTM3U
            #EXT-X-TARGETDURATION:4
            #EXT-X-MEDIA-SEQUENCE:7
            #EXT-X-MAP:URI="init.mp4",BYTERANGE="100@0"
            #EXTINF:3.5,title
            #EXT-X-BYTERANGE:10@5
            a.m4s?t=1
            #EXTINF:4,
            #EXT-X-BYTERANGE:20
            a.m4s?t=1
            #EXT-X-ENDLIST
            """
        let playlist = try #require(ViewedPlaylist(text, url: "http://h/x/y.m3u8"))
        #expect(playlist.parts.map(\.number) == [7, 8])
        #expect(playlist.parts.map(\.seconds) == [3.5, 4])
        #expect(playlist.parts.map(\.range) == ["bytes=5-14", "bytes=15-34"])
        #expect(playlist.parts.map(\.url) == ["http://h/x/a.m4s?t=1", "http://h/x/a.m4s?t=1"])
        #expect(playlist.maps.map(\.range) == ["bytes=0-99"])
        #expect(playlist.ended)
        #expect(playlist.targetDuration == 4)
    }

    @Test("Variants come best first, whatever commas their attributes hold")
    func variants() throws {
        let text = """
            #EXTM3U
            #EXT-X-STREAM-INF:CODECS="avc1,mp4a",BANDWIDTH=100
            low.m3u8
            #EXT-X-STREAM-INF:BANDWIDTH=900,RESOLUTION=1x1
            /high.m3u8
            """
        let playlist = try #require(ViewedPlaylist(text, url: "http://h/x/y.m3u8"))
        #expect(playlist.variants == ["http://h/high.m3u8", "http://h/x/low.m3u8"])
        #expect(ViewedPlaylist("<html>", url: "http://h/") == nil)
    }
}
