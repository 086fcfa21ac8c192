import FoundationEssentials
import WeirCore

/// A configuration file: one JSON5 object (comments, unquoted keys, trailing commas) of keys in snake_case.
package struct ConfigurationFile: Sendable {
    /// As given, for error messages.
    package var path: String
    /// Texts as a flag would give them.
    package var values: [SettingName: [String]]

    /// - Throws: a `SettingsError` for what is no JSON5, an unknown key, or a value of a wrong shape.
    package init(path: String, bytes: [UInt8]) throws(SettingsError) {
        self.path = path
        let decoder = JSONDecoder()
        decoder.allowsJSON5 = true
        let object: [String: FileValue]
        do {
            object = try decoder.decode([String: FileValue].self, from: Data(bytes))
        } catch {
            throw SettingsError("\(path) is no configuration: \(ConfigurationFile.reason(error))")
        }
        values = [:]
        for (key, value) in object.sorted(by: { $0.key < $1.key }) {
            guard let name = SettingName(rawValue: key) else {
                let error = unknown("key", key, SettingName.allCases.map(\.key))
                throw SettingsError("\(path): \(error)")
            }
            values[name] = value.texts
        }
    }

    package init(path: String) throws(SettingsError) {
        let bytes: [UInt8]
        do {
            bytes = try SmallFile.read(path)
        } catch {
            throw SettingsError("cannot read the configuration file \(path): \(error)")
        }
        try self.init(path: path, bytes: bytes)
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty
                ? "it must be one object in braces"
                : "\(place) must be a text, a number, true, false, or a list of these"
        case DecodingError.dataCorrupted:
            // Foundation says neither what nor where.
            return "not JSON5: a brace, a quote, a colon or a comma is missing or one too many"
        default:
            return "\(error)".firstLine
        }
    }
}

extension String {
    fileprivate var firstLine: String { String(prefix { !$0.isNewline }.prefix(200)) }
}

/// A value of the file: a text, a number, a truth value, or a list of these.
private struct FileValue: Decodable {
    var texts: [String]

    init(from decoder: any Decoder) throws {
        if let list = try? [FileValue](from: decoder) {
            texts = list.flatMap(\.texts)
            return
        }
        let value = try decoder.singleValueContainer()
        if let truth = try? value.decode(Bool.self) {
            texts = [truth ? "true" : "false"]
        } else if let number = try? value.decode(Int.self) {
            texts = [String(number)]
        } else if let number = try? value.decode(Double.self) {
            texts = [String(number)]
        } else {
            texts = [try value.decode(String.self)]
        }
    }
}
