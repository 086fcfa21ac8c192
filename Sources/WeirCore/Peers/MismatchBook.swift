/// Vouchers whose statements were about other editions than the origin's, as this agent read them.
///
/// That is no offence: packagers, caches and time make honest agents differ. It is no use either, and whoever could hide
/// false lists behind a made-up edition would never be found out. So after a second one nothing of a voucher is believed
/// for a while.
struct MismatchBook {
    private var entries: [PeerID: (count: Int, last: Instant)] = [:]

    static let patience = 2
    static let span = Duration.seconds(600)
    static let limit = 1024

    mutating func note(_ voucher: PeerID, at now: Instant) {
        let known = entries[voucher].flatMap { now - $0.last < MismatchBook.span ? $0.count : nil } ?? 0
        entries[voucher] = (known + 1, now)
        guard entries.count > MismatchBook.limit else { return }
        let oldest = entries.min { ($0.value.last, $0.key) < ($1.value.last, $1.key) }
        if let oldest { entries[oldest.key] = nil }
    }

    func isDistrusted(_ voucher: PeerID, at now: Instant) -> Bool {
        entries[voucher].map { $0.count >= MismatchBook.patience && now - $0.last < MismatchBook.span } ?? false
    }
}
