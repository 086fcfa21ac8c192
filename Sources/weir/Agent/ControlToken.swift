import WeirCore
import WeirSettings

/// The secret that control calls carry: from a file that is written when missing, or new at each start.
enum ControlToken {
    static func load(file: String?) throws -> String {
        guard let file else { return random() }
        do {
            return try parse(SmallFile.read(file), file)
        } catch let failure as SmallFile.Failure where failure.notFound {
            let token = random()
            do {
                try SmallFile.createPrivate(file, Array((token + "\n").utf8))
            } catch {
                throw Failure(.cannotCreate, "cannot write the token file \(file): \(error)")
            }
            return token
        } catch let failure as SmallFile.Failure {
            throw Failure(.usage, "cannot read the token file \(file): \(failure)")
        }
    }

    private static func parse(_ bytes: [UInt8], _ file: String) throws -> String {
        let text = String(decoding: bytes, as: UTF8.self).split { $0.isWhitespace }
        // Shorter ones can be guessed over loopback within a day.
        guard text.count == 1, let token = text.first, token.utf8.count >= 16 else {
            throw Failure(
                .usage,
                "the token file \(file) must hold one word of at least 16 characters: remove it to get one"
            )
        }
        return String(token)
    }

    /// 128 bits in hexadecimal.
    private static func random() -> String {
        var generator = SystemRandomNumberGenerator()
        return (0..<16).map { _ in generator.next() as UInt8 }.hexadecimal
    }
}
