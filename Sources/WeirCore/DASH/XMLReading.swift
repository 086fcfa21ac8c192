import CXML2

/// One element as the reader met it.
struct XMLElement {
    /// Without its prefix.
    let name: String
    /// Empty when there is none.
    let prefix: String
    let namespace: String
    let attributes: [XMLAttribute]
    /// Of the document, from 1.
    let line: Int
}

struct XMLAttribute: Sendable, Hashable {
    /// With its prefix: `xlink:href`.
    let name: String
    /// Of the name; empty when it has no prefix.
    let namespace: String
    let value: String

    /// The name without its prefix.
    var localName: Substring { name.split(separator: ":", maxSplits: 1).last ?? "" }
}

/// Who is told what a document says, in its order.
protocol XMLVisitor {
    mutating func start(_ element: XMLElement) throws(MPDError)
    /// Character data; may come in pieces.
    mutating func text(_ text: String) throws(MPDError)
    mutating func end() throws(MPDError)
}

/// Reads XML documents with libxml2's streaming reader: no network, no entities, no document type, and no more elements
/// than the limits allow. Nothing of libxml2 leaves this file.
enum XMLReading {
    /// - Throws: `malformed` with the line where the document stops being well-formed, and what the visitor throws.
    static func read(_ bytes: [UInt8], limits: Limits, into visitor: inout some XMLVisitor) throws(MPDError) {
        let limit = min(limits.manifestBytes, Int(Int32.max))
        guard bytes.count <= limit else { throw .tooLarge(limit: limit) }
        let encoding = try encoding(of: bytes)
        try XMLTags.check(bytes, limits: limits)
        _ = isInitialised
        try bytes.withUnsafeBufferPointer { (buffer) throws(MPDError) in
            try read(buffer, encoding: encoding, into: &visitor)
        }
    }

    /// Once per process, before threads could race for it.
    private static let isInitialised: Bool = {
        xmlInitParser()
        return true
    }()

    private static func read(
        _ buffer: UnsafeBufferPointer<UInt8>,
        encoding: String,
        into visitor: inout some XMLVisitor
    ) throws(MPDError) {
        let options = XML_PARSE_NONET.rawValue | XML_PARSE_NOERROR.rawValue | XML_PARSE_NOWARNING.rawValue
        let start = UnsafeRawPointer(buffer.baseAddress)?.assumingMemoryBound(to: CChar.self)
        guard let start,
            let reader = xmlReaderForMemory(start, Int32(buffer.count), nil, encoding, Int32(options))
        else { throw .malformed(line: 1, reason: "the document is empty") }
        defer { xmlFreeTextReader(reader) }
        // Some of its complaints pass the options by and would go to standard error.
        xmlTextReaderSetStructuredErrorHandler(reader, { _, _ in }, nil)
        while true {
            let status = xmlTextReaderRead(reader)
            guard status >= 0 else { throw failure(of: reader) }
            guard status == 1 else { return }
            switch xmlTextReaderNodeType(reader) {
            case elementType:
                let isEmpty = xmlTextReaderIsEmptyElement(reader) == 1
                try visitor.start(element(of: reader))
                if isEmpty { try visitor.end() }
            case endType: try visitor.end()
            case textType, cdataType: try visitor.text(string(xmlTextReaderConstValue(reader)))
            case documentTypeType, entityType: throw .documentType
            default: break
            }
        }
    }

    private static let elementType = Int32(XML_READER_TYPE_ELEMENT.rawValue)
    private static let endType = Int32(XML_READER_TYPE_END_ELEMENT.rawValue)
    private static let textType = Int32(XML_READER_TYPE_TEXT.rawValue)
    private static let cdataType = Int32(XML_READER_TYPE_CDATA.rawValue)
    private static let documentTypeType = Int32(XML_READER_TYPE_DOCUMENT_TYPE.rawValue)
    private static let entityType = Int32(XML_READER_TYPE_ENTITY_REFERENCE.rawValue)

    private static func element(of reader: xmlTextReaderPtr) -> XMLElement {
        let name = string(xmlTextReaderConstLocalName(reader))
        let prefix = string(xmlTextReaderConstPrefix(reader))
        let namespace = string(xmlTextReaderConstNamespaceUri(reader))
        let line = Int(xmlTextReaderGetParserLineNumber(reader))
        var attributes: [XMLAttribute] = []
        while xmlTextReaderMoveToNextAttribute(reader) == 1 {
            // Declarations of namespaces are none.
            guard xmlTextReaderIsNamespaceDecl(reader) != 1 else { continue }
            attributes.append(
                XMLAttribute(
                    name: string(xmlTextReaderConstName(reader)),
                    namespace: string(xmlTextReaderConstNamespaceUri(reader)),
                    value: string(xmlTextReaderConstValue(reader))
                )
            )
        }
        if !attributes.isEmpty { xmlTextReaderMoveToElement(reader) }
        return XMLElement(name: name, prefix: prefix, namespace: namespace, attributes: attributes, line: line)
    }

    /// A copy of what the reader owns.
    private static func string(_ text: UnsafePointer<xmlChar>?) -> String {
        text.map { String(cString: $0) } ?? ""
    }

    private static func failure(of reader: xmlTextReaderPtr) -> MPDError {
        var reason = "not well-formed"
        if let error = xmlGetLastError(), let message = error.pointee.message {
            reason = String(cString: message).split(whereSeparator: \.isNewline).first.map { String($0) } ?? reason
        }
        return .malformed(line: max(1, Int(xmlTextReaderGetParserLineNumber(reader))), reason: reason)
    }

    // MARK: Encoding

    /// What the document says it is written in. Only encodings in which markup is ASCII, or the guard before the reader
    /// could be fooled.
    private static func encoding(of bytes: [UInt8]) throws(MPDError) -> String {
        if bytes.starts(with: [0xFE, 0xFF]) || bytes.starts(with: [0xFF, 0xFE]) || bytes.prefix(4).contains(0) {
            throw .encoding("UTF-16 or UTF-32")
        }
        let start = bytes.prefix(256).drop { $0 == 0xEF || $0 == 0xBB || $0 == 0xBF }
        guard start.starts(with: "<?xml".utf8), let end = start.firstIndex(of: 0x3E) else { return "UTF-8" }
        let declaration = start[..<end].map(\.lowercasedASCII)[...].text
        guard let range = declaration.firstRange(of: "encoding") else { return "UTF-8" }
        let value = declaration[range.upperBound...].drop { $0 != "\"" && $0 != "'" }.dropFirst()
        switch value.prefix(while: { $0 != "\"" && $0 != "'" }) {
        case "utf-8", "utf8", "us-ascii", "ascii": return "UTF-8"
        case "iso-8859-1", "iso8859-1", "latin1": return "ISO-8859-1"
        case let other: throw .encoding(String(other.prefix(20)))
        }
    }
}
