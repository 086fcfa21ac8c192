import Crypto

/// The origin's own digest of a whole body: the strongest evidence short of a publisher's signature.
///
/// Only fields that are about the whole representation count: `Repr-Digest` (RFC 9530), `x-amz-checksum-sha256` without
/// a part suffix, `x-goog-hash` md5, and `Content-MD5` (RFC 1864) of a whole 200. Never a CRC, never `Content-Digest` of
/// a HEAD or a 206, never a weak ETag.
struct Anchor: Equatable {
    enum Algorithm { case md5, sha256, sha512 }

    var algorithm: Algorithm
    var value: [UInt8]

    init?(_ fields: [HeaderField], isWholeBody: Bool) {
        for field in fields {
            switch field.name {
            case "repr-digest":
                if let found = Anchor.structured(field.value) { self = found } else { continue }
                return
            case "x-amz-checksum-sha256":
                // Checksums of checksums of parts end in "-N".
                guard !field.value.contains("-"), let bytes = Base64.decode(field.value), bytes.count == 32 else {
                    continue
                }
                (algorithm, value) = (.sha256, bytes)
                return
            case "x-goog-hash":
                guard
                    let text = field.value.split(separator: ",").map({ Anchor.trim($0) }).first(where: {
                        $0.hasPrefix("md5=")
                    }),
                    let bytes = Base64.decode(String(text.dropFirst(4))), bytes.count == 16
                else { continue }
                (algorithm, value) = (.md5, bytes)
                return
            case "content-md5":
                guard isWholeBody, let bytes = Base64.decode(field.value), bytes.count == 16 else { continue }
                (algorithm, value) = (.md5, bytes)
                return
            default: continue
            }
        }
        return nil
    }

    private init(_ algorithm: Algorithm, _ value: [UInt8]) {
        self.algorithm = algorithm
        self.value = value
    }

    /// `sha-256=:base64:, sha-512=:base64:` (RFC 8941 dictionary of byte sequences).
    private static func structured(_ text: String) -> Anchor? {
        for part in text.split(separator: ",").map({ trim($0) }) {
            for (prefix, algorithm, count) in [("sha-256=:", Algorithm.sha256, 32), ("sha-512=:", .sha512, 64)]
            where part.hasPrefix(prefix) && part.hasSuffix(":") {
                guard let bytes = Base64.decode(String(part.dropFirst(prefix.count).dropLast())), bytes.count == count
                else { continue }
                return Anchor(algorithm, bytes)
            }
        }
        return nil
    }

    private static func trim(_ text: Substring) -> String {
        String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }

    func matches(_ parts: [any Payload]) -> Bool {
        switch algorithm {
        case .md5: hash(parts, with: Insecure.MD5())
        case .sha256: hash(parts, with: SHA256())
        case .sha512: hash(parts, with: SHA512())
        }
    }

    private func hash(_ parts: [any Payload], with function: some HashFunction) -> Bool {
        var function = function
        for part in parts { function.update(data: part.bytes()) }
        return Array(function.finalize()) == value
    }
}

/// RFC 4648 section 4, strict.
enum Base64 {
    static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard !characters.isEmpty, characters.count % 4 == 0, characters.count <= 1024 else { return nil }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var padding = 0
        for (index, character) in characters.enumerated() {
            guard let value = value(of: character, padding: &padding) else { return nil }
            bits = bits << 6 | value
            if index % 4 == 3 {
                bytes += [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
                bits = 0
            }
        }
        guard padding <= 2 else { return nil }
        bytes.removeLast(padding)
        return bytes
    }

    private static func value(of character: UInt8, padding: inout Int) -> UInt32? {
        if character == UInt8(ascii: "=") {
            padding += 1
            return 0
        }
        guard padding == 0 else { return nil }
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): return UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): return UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): return 62
        case UInt8(ascii: "/"): return 63
        default: return nil
        }
    }
}
