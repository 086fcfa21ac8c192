import WeirCore

/// A row of the settings table: from it come the flag, the environment variable, the file's key, the help, the sample
/// file and the validation.
package struct Setting: Sendable {
    package var name: SettingName
    package var syntax: SettingSyntax
    /// As a user would write it; empty: unset.
    package var defaultText: String
    /// The default of `weir serve`, where it differs.
    package var serveDefault: String?
    /// The default of `weir tracker`, where it differs.
    package var trackerDefault: String?
    package var commands: Set<SettingsCommand>
    /// One sentence: what it means.
    package var meaning: String
    /// Where the default comes from.
    package var source: String

    init(
        _ name: SettingName,
        _ syntax: SettingSyntax,
        default defaultText: String = "",
        serve serveDefault: String? = nil,
        tracker trackerDefault: String? = nil,
        for commands: Set<SettingsCommand> = [.play, .serve],
        _ meaning: String,
        source: String
    ) {
        self.name = name
        self.syntax = syntax
        self.defaultText = defaultText
        self.serveDefault = serveDefault
        self.trackerDefault = trackerDefault
        self.commands = commands
        self.meaning = meaning
        self.source = source
    }

    package func defaultText(for command: SettingsCommand) -> String {
        switch command {
        case .play: defaultText
        case .serve: serveDefault ?? defaultText
        case .tracker: trackerDefault ?? defaultText
        }
    }
}

/// How a setting's text is written and where its value goes.
package struct SettingSyntax: Sendable {
    /// What stands for the value in the help: `HOST:PORT`.
    package var valueName: String
    /// Whether it may be given several times.
    package var repeatable = false
    package var isBoolean = false
    /// Stores the texts, of which there is exactly one unless the setting is repeatable. The error says what was
    /// expected.
    var store: @Sendable (inout ProgramSettings, [String]) throws(SettingsError) -> Void
}

extension SettingSyntax {
    typealias Path<Value> = any WritableKeyPath<ProgramSettings, Value> & Sendable

    /// One value, read by `read`; nil from it is an error that tells what was expected.
    static func one<Value>(
        _ valueName: String,
        _ path: Path<Value>,
        expected: String,
        _ read: @escaping @Sendable (String) -> Value?
    ) -> SettingSyntax {
        SettingSyntax(valueName: valueName) { settings, texts throws(SettingsError) in
            guard let text = texts.first else { return }
            guard let value = read(text) else { throw SettingsError("“\(text)” is not \(expected)") }
            settings[keyPath: path] = value
        }
    }

    static func many<Value>(
        _ valueName: String,
        _ path: Path<[Value]>,
        expected: String,
        _ read: @escaping @Sendable (String) -> Value?
    ) -> SettingSyntax {
        SettingSyntax(valueName: valueName, repeatable: true) { settings, texts throws(SettingsError) in
            var values: [Value] = []
            for text in texts {
                guard let value = read(text) else { throw SettingsError("“\(text)” is not \(expected)") }
                values.append(value)
            }
            settings[keyPath: path] = values
        }
    }

    static func duration(_ path: Path<Duration>, atLeast least: Duration) -> SettingSyntax {
        let range = least > .zero ? " from \(least.seconds) s to a day" : " up to a day"
        return one("TIME", path, expected: "a time\(range): write \(Quantity.time.examples)") { text in
            duration(text, atLeast: least)
        }
    }

    @Sendable static func duration(_ text: String, atLeast least: Duration) -> Duration? {
        guard let seconds = Quantity.parse(text, Quantity.time) else { return nil }
        let duration = Duration.seconds(seconds)
        // A day is beyond any use, and keeps every sum of settings far from overflow.
        return duration >= least && duration <= .seconds(86_400) ? duration : nil
    }

    static func size(_ path: Path<Int>) -> SettingSyntax {
        one("SIZE", path, expected: "a size: write \(Quantity.size.examples)") { text in
            Quantity.parse(text, Quantity.size).map { Int($0) }
        }
    }

    static func choice<Value: Sendable>(_ path: Path<Value>, _ choices: [(String, Value)]) -> SettingSyntax {
        let names = choices.map(\.0)
        return one(names.joined(separator: "|"), path, expected: "one of \(names.joined(separator: ", "))") { text in
            choices.first { $0.0 == text.lowercased() }?.1
        }
    }

    static func boolean(_ path: Path<Bool>) -> SettingSyntax {
        var syntax = one("BOOL", path, expected: "true or false") { text in
            ["true": true, "1": true, "yes": true, "false": false, "0": false, "no": false][text.lowercased()]
        }
        syntax.isBoolean = true
        return syntax
    }

    static func file(_ path: Path<String?>) -> SettingSyntax {
        one("FILE", path, expected: "a file name") { $0.isEmpty ? nil : .some($0) }
    }

    static func urls(_ path: Path<[String]>, schemes: [String]) -> SettingSyntax {
        let starts = schemes.map { $0 + "://" }
        return many("URL", path, expected: "a URL that begins with \(starts.joined(separator: " or "))") { text in
            let known = starts.contains { text.lowercased().hasPrefix($0) && text.utf8.count > $0.utf8.count }
            return known && text.utf8.allSatisfy { $0 > 32 && $0 < 127 } ? text : nil
        }
    }
}
