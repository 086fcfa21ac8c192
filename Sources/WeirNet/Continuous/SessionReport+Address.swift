import WeirCore

extension SessionReport {
    var isDASH: Bool { path.hasSuffix(".mpd") }

    /// Where the media program finds the stream from a moment of its past on.
    /// - Parameter base: of the endpoint, `http://127.0.0.1:8090`.
    func address(at moment: TimeShift, base: String) -> String {
        let at = "?at=" + PercentEncoding.encode(moment.text)
        return base + (isDASH ? path + at : LocalPath.window(StreamID(id)).text + at + "&catchup=1")
    }
}
