/// What part of a resource a request asks for (RFC 9110 14.2, one range).
enum RequestedRange: Equatable {
    case whole
    case part(Range<Int>)
    case unsatisfiable

    /// A header that cannot be read, or several ranges, is ignored, as a server may.
    init(header: String?, count: Int) {
        self = .whole
        guard let header, header.hasPrefix("bytes=") else { return }
        let ends = header.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else { return }
        if ends[0].isEmpty {
            guard let suffix = Int(ends[1]) else { return }
            self = suffix == 0 || count == 0 ? .unsatisfiable : .part(max(0, count - suffix)..<count)
            return
        }
        guard let first = Int(ends[0]), first >= 0 else { return }
        guard first < count else {
            self = .unsatisfiable
            return
        }
        if ends[1].isEmpty {
            self = .part(first..<count)
        } else if let last = Int(ends[1]), last >= first {
            self = .part(first..<min(last, count - 1) + 1)
        }
    }
}
