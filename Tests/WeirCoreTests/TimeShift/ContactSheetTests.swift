import Testing
import WeirCore

@Suite("Contact sheets")
struct ContactSheetTests {
    @Test("Pictures lie evenly within the window, as many as it has keyframes for, up to sixteen", arguments: 1...200)
    func moments(seconds: Int) throws {
        let sheet = try #require(ContactSheet(window: Double(seconds) * 1.5))
        let backs = sheet.moments.compactMap { moment in
            if case .beforeLive(let back) = moment { back.seconds } else { nil }
        }
        #expect(backs.count == min(16, max(1, Int(Double(seconds) * 0.75))))
        #expect(backs.allSatisfy { $0 > 0 && $0 < Double(seconds) * 1.5 })
        #expect(zip(backs, backs.dropFirst()).allSatisfy { $0 - $1 >= 1.999 })
        let columns = sheet.columns
        #expect(columns * columns >= backs.count && (columns - 1) * (columns - 1) < backs.count)
    }

    @Test("Without a window there is none", arguments: [0, -1, .nan, .infinity])
    func nothing(seconds: Double) {
        #expect(ContactSheet(window: seconds) == nil)
    }
}
