/// Whether a segment's bytes are whole pieces of its container, by the outermost structure alone: the packets of MPEG-TS
/// (ISO/IEC 13818-1), the boxes of MP4 (ISO/IEC 14496-12). What is in them nobody looks at.
///
/// State: at the beginning → in a container, or in something that is not judged.
package struct ContainerCheck: Sendable {
    private enum Shape {
        case unknown, packets, boxes
        /// Sound alone, text: nothing is said of it.
        case other
    }

    private static let packetBytes = 188
    private static let sync: UInt8 = 0x47
    /// Bytes by which a container is told.
    private static let headBytes = 12
    /// What a segment or an initialisation begins with.
    private static let firstBoxes: Set<String> = [
        "styp", "ftyp", "moof", "moov", "sidx", "ssix", "emsg", "prft", "free", "skip", "mdat", "uuid",
    ]

    /// Suffixes of addresses that say which container it is.
    private static let judged: Set<String> = ["ts", "m4s", "mp4"]

    private let suffix: String
    private var shape = Shape.unknown
    private var head: [UInt8] = []
    private var count = 0
    private var fault: String?
    /// Bytes until the next box begins; nil: the last one goes to the end.
    private var rest: Int? = 0
    private var box: [UInt8] = []
    private var name = ""
    private var hasMedia = false

    /// - Parameter suffix: of the segment's address.
    package init(suffix: String) {
        self.suffix = suffix
    }

    package mutating func add(_ bytes: ArraySlice<UInt8>) { bytes.withUnsafeBytes { add($0) } }

    /// - Parameter bytes: what follows what was added before.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard shape == .unknown else { return judge(bytes) }
        let taken = min(bytes.count, ContainerCheck.headBytes - count)
        head += bytes[..<taken]
        count += taken
        guard head.count == ContainerCheck.headBytes else { return }
        shape = ContainerCheck.shape(of: head)
        count = 0
        let head = head
        head.withUnsafeBytes { judge($0) }
        judge(UnsafeRawBufferPointer(rebasing: bytes[taken...]))
    }

    private static func shape(of head: [UInt8]) -> Shape {
        if head[0] == sync { return .packets }
        return firstBoxes.contains(String(decoding: head[4..<8], as: UTF8.self)) ? .boxes : .other
    }

    private mutating func judge(_ bytes: UnsafeRawBufferPointer) {
        defer { count += bytes.count }
        guard fault == nil else { return }
        switch shape {
        case .packets: judgePackets(bytes)
        case .boxes: judgeBoxes(bytes)
        case .unknown, .other: break
        }
    }

    private mutating func judgePackets(_ bytes: UnsafeRawBufferPointer) {
        let packet = ContainerCheck.packetBytes
        var place = (packet - count % packet) % packet
        while place < bytes.count {
            guard bytes[place] == ContainerCheck.sync else {
                fault = "no packet begins at byte \(count + place)"
                return
            }
            place += packet
        }
    }

    private mutating func judgeBoxes(_ bytes: UnsafeRawBufferPointer) {
        var place = 0
        while place < bytes.count, fault == nil, let left = rest {
            if left > 0 {
                let skipped = min(left, bytes.count - place)
                place += skipped
                rest = left - skipped
                continue
            }
            let needed = box.count < 8 ? 8 : 16
            let taken = bytes[place..<min(place + needed - box.count, bytes.count)]
            box += taken
            place += taken.count
            if box.count == needed { begin() }
        }
    }

    /// A box's head is here, or its first half.
    private mutating func begin() {
        let short = box[0..<4].reduce(0) { $0 << 8 | UInt64($1) }
        name = String(decoding: box[4..<8], as: UTF8.self)
        guard box[4..<8].allSatisfy({ (0x20...0x7E).contains($0) || $0 == 0xA9 }) else {
            fault = "what follows a box is none"
            return
        }
        if name == "mdat" { hasMedia = true }
        if short == 1, box.count < 16 { return }
        let size = short == 1 ? box[8..<16].reduce(0) { $0 << 8 | UInt64($1) } : short
        guard size == 0 || size >= UInt64(box.count) else {
            fault = "a box is smaller than its head"
            return
        }
        rest = size == 0 ? nil : Int(clamping: size - UInt64(box.count))
        box = []
    }

    /// All bytes were added.
    /// - Returns: what is wrong; nil when nothing can be said against it.
    package func finish() -> String? {
        if let fault { return fault }
        switch shape {
        case .unknown:
            guard !head.isEmpty else { return "it is empty" }
            return ContainerCheck.judged.contains(suffix) ? "it is too short" : nil
        case .packets: return count % ContainerCheck.packetBytes == 0 ? nil : "it is cut off within a packet"
        case .boxes:
            guard box.isEmpty, rest ?? 0 == 0 else { return "it is cut off within a box" }
            return hasMedia ? nil : "there are no media in it"
        case .other: return isForeign ? "it begins like no \(suffix)" : nil
        }
    }

    /// Packed sound may be called anything (RFC 8216 3.4).
    private var isForeign: Bool {
        let isSound = head.starts(with: Array("ID3".utf8)) || (head[0] == 0xFF && head[1] & 0xE0 == 0xE0)
        return !isSound && ContainerCheck.judged.contains(suffix)
    }
}
