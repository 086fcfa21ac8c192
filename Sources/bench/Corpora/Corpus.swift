import FoundationEssentials

/// The playlists and manifests in a folder: files that are one, and literals of sources that are one.
struct Corpus {
    struct Document {
        enum Kind {
            case playlist
            case manifest
        }
        let kind: Kind
        /// The file, and of several in it the number, from 1.
        let name: String
        let bytes: [UInt8]
    }

    private(set) var documents: [Document] = []
    private var seen: Set<[UInt8]> = []

    /// Larger files are media, or not of tests.
    private static let fileBytes = 32 << 20

    /// - Throws: when the folder cannot be listed.
    init(folder: String) throws {
        // Sorted, so that the same folder gives the same table.
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder).sorted() {
            guard !name.hasPrefix(".git/"), !name.contains("/.git/"), !name.contains("node_modules/") else { continue }
            let path = "\(folder)/\(name)"
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            guard let size = attributes?[.size] as? any BinaryInteger, Int(clamping: size) <= Corpus.fileBytes,
                attributes?[.type] as? FileAttributeType == .typeRegular,
                let data = try? Data(contentsOf: URL(filePath: path))
            else { continue }
            add(Array(data), name)
        }
    }

    private mutating func add(_ bytes: [UInt8], _ name: String) {
        let suffix = String(name.split(separator: ".").last ?? "")
        guard let texts = SourceTexts.all(in: bytes, suffix: suffix) else {
            if let kind = Corpus.kind(of: bytes[...]) { add(kind, name, bytes) }
            return
        }
        var number = 0
        for text in texts {
            var document = text.drop { $0 == 0x20 || (0x09...0x0D).contains($0) }
            guard let kind = Corpus.kind(of: document) else { continue }
            if kind == .manifest {
                // A part of one, which the program puts together; or what stands behind it in the program.
                guard let end = document.firstRange(of: Array("</MPD>".utf8)) else { continue }
                document = document[..<end.upperBound]
            }
            number += 1
            add(kind, "\(name):\(number)", Array(document))
        }
    }

    private mutating func add(_ kind: Document.Kind, _ name: String, _ bytes: [UInt8]) {
        // The same text is often in several tests.
        guard seen.insert(bytes).inserted else { return }
        documents.append(Document(kind: kind, name: name, bytes: bytes))
    }

    private static func kind(of bytes: ArraySlice<UInt8>) -> Document.Kind? {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes
        if start.starts(with: "#EXTM3U".utf8) { return .playlist }
        guard start.first == UInt8(ascii: "<") else { return nil }
        return start.prefix(16_384).firstRange(of: Array("<MPD".utf8)) == nil ? nil : .manifest
    }
}
