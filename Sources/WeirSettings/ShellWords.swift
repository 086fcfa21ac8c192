/// Splits a command as a POSIX shell would split words (XCU 2.2: single quotes, double quotes, backslash), and does
/// nothing else a shell does: no variables, no globs, no operators.
///
/// - Returns: nil when a quote is left open or the text ends in a backslash.
package func shellWords(_ text: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var escaped = false
    for character in text {
        if escaped {
            // Inside double quotes a backslash only escapes what would be special there.
            if quote == "\"", !"\"\\$`".contains(character) { word = (word ?? "") + "\\" }
            word = (word ?? "") + String(character)
            escaped = false
        } else if character == "\\", quote != "'" {
            escaped = true
        } else if let open = quote {
            if character == open { quote = nil } else { word = (word ?? "") + String(character) }
        } else if character == "'" || character == "\"" {
            quote = character
            word = word ?? ""
        } else if character == " " || character == "\t" || character == "\n" {
            if let complete = word { words.append(complete) }
            word = nil
        } else {
            word = (word ?? "") + String(character)
        }
    }
    guard quote == nil, !escaped else { return nil }
    if let word { words.append(word) }
    return words
}
