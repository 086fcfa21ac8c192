/// Why bytes are no list of channels. The description is one line, for the user.
package enum ChannelListError: Error, Hashable, Sendable, CustomStringConvertible {
    /// It does not begin with `#EXTM3U`.
    case notAList
    /// One stream, not a list of them.
    case stream
    /// It names no address at all.
    case empty
    case tooLarge(limit: Int)
    case tooManyChannels(limit: Int)

    package var description: String {
        switch self {
        case .notAList: "not a list of channels: it does not begin with #EXTM3U"
        case .stream: "an HLS stream, not a list of channels: weir play opens it"
        case .empty: "the list names no channels"
        case .tooLarge(let limit): "the list is larger than \(limit >> 20) MiB"
        case .tooManyChannels(let limit): "the list has more than \(limit) channels"
        }
    }
}
