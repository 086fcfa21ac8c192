import Testing

@testable import WeirCore

@Suite("The agenda")
struct AgendaTests {
    @Test("A note that an earlier one has made outdated wakes nobody")
    func outdatedNotes() {
        var agenda = Agenda()
        agenda.note(.uploads, at: Instant(nanoseconds: 30))
        agenda.note(.uploads, at: Instant(nanoseconds: 20))
        agenda.note(.house, at: Instant(nanoseconds: 50))
        #expect(agenda.nextDue == Instant(nanoseconds: 20))
        #expect(agenda.takeDue(at: Instant(nanoseconds: 20)) == .uploads)
        #expect(agenda.nextDue == Instant(nanoseconds: 50))
        #expect(agenda.takeDue(at: Instant(nanoseconds: 40)) == nil)
        #expect(agenda.takeDue(at: Instant(nanoseconds: 60)) == .house)
        #expect(agenda.nextDue == nil)
    }

    @Test("A task may be noted anew once it was taken")
    func notedAnew() {
        var agenda = Agenda()
        agenda.note(.dials, at: Instant(nanoseconds: 10))
        #expect(agenda.takeDue(at: Instant(nanoseconds: 10)) == .dials)
        agenda.note(.dials, at: Instant(nanoseconds: 30))
        agenda.note(.dials, at: Instant(nanoseconds: 40))
        #expect(agenda.nextDue == Instant(nanoseconds: 30))
    }
}
