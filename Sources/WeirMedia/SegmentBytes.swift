import WeirCore

/// The bytes of one container: initialisation and segments of one rendition, one behind the other, decrypted, until one
/// comes that does not continue them.
final class SegmentBytes: ByteSource {
    /// Segments in a row that cannot be had until the stream is given up.
    private static let patience = 12
    /// How long the agent has to throw a damaged copy away, before it is asked again and has its reader wait.
    private static let refetchPause = WeirCore.Duration.milliseconds(500)

    private let source: RenditionSource
    private let report: (String) -> Void
    private var first: WalkedSegment?
    private var last: WalkedSegment
    private var answer: LocalAnswer?
    private var isSection = false
    private var cipher: SegmentCipher?
    private var check: ContainerCheck?
    private var plain: ArraySlice<UInt8> = []
    private var failures = 0
    /// Why it ended though nothing is wrong with the media.
    private(set) var fault: (any Error)?
    /// Of the stream's end.
    private(set) var hasEnded = false
    private var isBroken = false
    /// Bytes that were read, and where segments began among them, where account is kept of that.
    private var delivered: Int64 = 0
    private var beginnings: [(offset: Int64, place: CaptureJournal.Place)] = []

    /// - Parameter report: told of what is left out.
    init(_ source: RenditionSource, from first: WalkedSegment, report: @escaping (String) -> Void) {
        self.source = source
        self.first = first
        last = first
        self.report = report
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while fault == nil, !isBroken {
            if !plain.isEmpty {
                let count = min(buffer.count, plain.count)
                buffer.copyBytes(from: plain.prefix(count))
                plain = plain.dropFirst(count)
                delivered += Int64(count)
                return count
            }
            do {
                guard let answer else {
                    guard try openNext() else { return 0 }
                    continue
                }
                let count = try answer.read(into: buffer)
                let read = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if count == 0 {
                    finishAnswer()
                } else if let cipher {
                    plain = cipher.add(Array(read)[...])[...]
                    check?.add(plain)
                } else {
                    check?.add(read)
                    return count
                }
            } catch let failure as LocalFailure {
                // Half a segment cannot be followed by another one in the same container.
                report("segment \(last.number): \(failure)")
                isBroken = true
            } catch {
                fault = error
            }
        }
        return 0
    }

    private func finishAnswer() {
        answer = nil
        failures = 0
        if let cipher {
            plain = cipher.finish()[...]
            check?.add(plain)
        }
        cipher = nil
        if let damage = check?.finish() { source.tellDamage?(last.media.url, damage) }
        check = nil
        guard isSection else { return }
        isSection = false
        openMedia(last)
    }

    /// - Returns: false at the end of the container.
    private func openNext() throws -> Bool {
        guard let next = try source.peek() else {
            hasEnded = true
            return false
        }
        guard first != nil || next.continues(last) else { return false }
        source.take()
        last = next
        let isFirst = first != nil
        first = nil
        if source.isPatient { return try takeWhole(next, withSection: isFirst) }
        guard isFirst, let section = next.section else {
            openMedia(next)
            return true
        }
        do throws(LocalFailure) {
            answer = try source.open(section)
            isSection = true
            return true
        } catch {
            report("the initialisation of segment \(next.number): \(error)")
            isBroken = true
            try countFailure()
            return false
        }
    }

    /// The segment that these bytes came in; what came before it is forgotten.
    func place(at offset: Int64?) -> CaptureJournal.Place? {
        guard let offset, let index = beginnings.lastIndex(where: { $0.offset <= offset }) else {
            return beginnings.first?.place
        }
        // Tracks lie side by side: one may be a little behind.
        if index > 4 { beginnings.removeFirst(index - 4) }
        return beginnings.last { $0.offset <= offset }?.place
    }

    /// A segment goes in whole or not at all.
    /// - Returns: false at the end of the container.
    private func takeWhole(_ segment: WalkedSegment, withSection: Bool) throws -> Bool {
        var bytes: [UInt8] = []
        if withSection, let section = segment.section {
            guard let found = try source.fetch(section, of: segment, report) else {
                isBroken = true
                return false
            }
            bytes = found
        }
        guard let media = try wholeMedia(segment) else { return true }
        beginnings.append((delivered, CaptureJournal.Place(segment: segment.number, period: segment.period)))
        failures = 0
        plain = (bytes + media)[...]
        return true
    }

    /// What is damaged is asked for again: the agent may have it from elsewhere by then.
    /// - Returns: nil when it is left out.
    private func wholeMedia(_ segment: WalkedSegment) throws -> [UInt8]? {
        var damaged: [UInt8]?
        while true {
            guard var media = try source.fetch(segment.media, of: segment, report) else { return damaged }
            if let key = segment.key {
                guard let cipher = source.key(key).flatMap({ SegmentCipher(key: $0, vector: key.vector) }) else {
                    leaveOut(segment, "its key cannot be had")
                    return nil
                }
                media = cipher.add(media[...]) + cipher.finish()
            }
            var check = ContainerCheck(suffix: SegmentBytes.suffix(of: segment))
            check.add(media[...])
            guard let damage = check.finish(), media != damaged, let tell = source.tellDamage else { return media }
            damaged = media
            tell(segment.media.url, damage)
            WorkerClock.sleep(SegmentBytes.refetchPause)
        }
    }

    private func openMedia(_ segment: WalkedSegment) {
        if let key = segment.key {
            cipher = source.key(key).flatMap { SegmentCipher(key: $0, vector: key.vector) }
            guard cipher != nil else { return leaveOut(segment, "its key cannot be had") }
        }
        do throws(LocalFailure) {
            answer = try source.open(segment.media)
            check = ContainerCheck(suffix: SegmentBytes.suffix(of: segment))
        } catch {
            leaveOut(segment, "\(error)")
        }
    }

    private static func suffix(of segment: WalkedSegment) -> String {
        segment.media.url.path.split(separator: ".").last.map { String($0) } ?? ""
    }

    private func leaveOut(_ segment: WalkedSegment, _ reason: String) {
        cipher = nil
        report("segment \(segment.number): \(reason)")
        do { try countFailure() } catch { fault = error }
    }

    private func countFailure() throws {
        failures += 1
        guard failures < SegmentBytes.patience else { throw RemuxFault("the segments cannot be read") }
    }
}
