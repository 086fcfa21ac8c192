/// The first number of a frame. Types without a name here are skipped, so that later versions may add some.
enum FrameType: UInt64 {
    case hello = 1
    case join = 2
    case leave = 3
    case interest = 4
    case have = 5
    case partial = 6
    case request = 7
    case digests = 8
    case root = 9
    case data = 10
    case cancel = 11
    case absent = 12
    case peers = 13
    case ping = 14
    case pong = 15
    case goodbye = 16
    case refutation = 17
}

extension Message {
    var frameType: FrameType {
        switch self {
        case .hello: .hello
        case .join: .join
        case .leave: .leave
        case .interest: .interest
        case .have: .have
        case .partial: .partial
        case .request: .request
        case .digests: .digests
        case .root: .root
        case .data: .data
        case .cancel: .cancel
        case .absent: .absent
        case .peers: .peers
        case .ping: .ping
        case .pong: .pong
        case .goodbye: .goodbye
        case .refutation: .refutation
        }
    }
}
