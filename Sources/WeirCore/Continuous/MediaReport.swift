/// What one track of a rendition's media is, as `GET /v1/sessions` lists it: read from one of its segments.
// The names are the JSON's, which is what users see.
// swift-format-ignore: AlwaysUseLowerCamelCase
package struct MediaReport: Sendable, Hashable, Encodable {
    /// `video` or `audio`.
    package var kind: String
    /// libavcodec's name of it: `h264`, `aac`.
    package var codec: String
    package var width: Int?
    package var height: Int?
    /// Pictures a second.
    package var frame_rate: Double?
    /// Hz
    package var sample_rate: Int?
    package var channels: Int?
    /// Bits a second of the track in that segment, without its container.
    package var bit_rate: Int?
    /// Between keyframes; left out when the segment has but one.
    package var keyframe_seconds: Double?
    /// As the container has it.
    package var language: String?

    package init(kind: String, codec: String) {
        self.kind = kind
        self.codec = codec
    }

    /// Fields in a fixed order with blanks between them, `-` for what is not known: how weir-media tells them.
    package var text: String {
        func field(_ value: (some CustomStringConvertible)?) -> String { value.map { "\($0)" } ?? "-" }
        return [
            MediaReport.name(kind) ?? "-", MediaReport.name(codec) ?? "-", field(width), field(height),
            field(frame_rate), field(sample_rate), field(channels), field(bit_rate), field(keyframe_seconds),
            language.flatMap { MediaReport.name($0) } ?? "-",
        ].joined(separator: " ")
    }

    /// Nil when it is not such a line: what libav found in hostile media is not believed to be one.
    package init?(text: some StringProtocol) {
        let fields = text.split(separator: " ", omittingEmptySubsequences: false)
        guard fields.count == 10, ["video", "audio"].contains(fields[0]), let codec = MediaReport.name(fields[1]) else {
            return nil
        }
        self.init(kind: String(fields[0]), codec: codec)
        width = MediaReport.count(fields[2])
        height = MediaReport.count(fields[3])
        frame_rate = MediaReport.measure(fields[4])
        sample_rate = MediaReport.count(fields[5])
        channels = MediaReport.count(fields[6])
        bit_rate = MediaReport.count(fields[7])
        keyframe_seconds = MediaReport.measure(fields[8])
        language = MediaReport.name(fields[9])
    }

    private static func count(_ text: some StringProtocol) -> Int? {
        Int(text).flatMap { $0 > 0 ? $0 : nil }
    }

    private static func measure(_ text: some StringProtocol) -> Double? {
        Double(String(text)).flatMap { $0.isFinite && $0 > 0 && $0 < 1e9 ? $0 : nil }
    }

    /// Letters, digits, and what joins them; nothing that a reader of the JSON could stumble over.
    private static func name(_ text: some StringProtocol) -> String? {
        let bytes = text.utf8
        guard (1...32).contains(bytes.count), text != "-",
            bytes.allSatisfy({ $0.isASCIIDigit || (0x41...0x5A).contains($0 & 0xDF) || $0 == 0x5F || $0 == 0x2D })
        else { return nil }
        return String(text)
    }
}
