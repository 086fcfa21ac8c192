import WeirCore

/// The member `weir` of a message: what agents and weir's own tracker say to each other and everybody else passes over.
struct WeirAddition {
    var claims: PeerClaims?
    var holdings: [HeldParts] = []
    var receipts: [Receipt] = []
    /// A channel's mode, in a reply.
    var mode: DeliveryMode?
    var viewers = 0
    var reason = ""

    private static let amounts = 0...Int64(1) << 48
    static let reasonLimit = 200

    // MARK: Reading

    /// - Throws: only when what stands there is no JSON. What somebody else means by the name is passed over.
    static func read(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) -> WeirAddition {
        let start = scanner
        do throws(JSONScanner.Mismatch) {
            var addition = WeirAddition()
            try scanner.object { (scanner, name) throws(JSONScanner.Mismatch) in
                try addition.read(name, &scanner)
            }
            return addition
        } catch {
            scanner = start
            try scanner.skip()
            return WeirAddition()
        }
    }

    private mutating func read(_ name: JSONString, _ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) {
        if scanner.equals(name, "viewers") {
            viewers = try scanner.integer(in: 0...Int(Int32.max))
            claims?.viewers = viewers
        } else if scanner.equals(name, "uploads") {
            claims = claims ?? newClaims()
            claims?.uploads = try scanner.boolean()
        } else if scanner.equals(name, "free") {
            claims = claims ?? newClaims()
            claims?.freeUpload = Int(try scanner.integer(in: WeirAddition.amounts))
        } else if scanner.equals(name, "dialable") {
            claims = claims ?? newClaims()
            claims?.isDialable = try scanner.boolean()
        } else if scanner.equals(name, "slot") {
            claims = claims ?? newClaims()
            claims?.timeslot = try WeirAddition.slot(&scanner)
        } else if scanner.equals(name, "holds") {
            holdings = try WeirAddition.holdings(&scanner)
        } else if scanner.equals(name, "receipts") {
            receipts = try WeirAddition.receipts(&scanner)
        } else if scanner.equals(name, "mode") {
            mode = DeliveryMode(rawValue: scanner.text(try scanner.string()))
        } else if scanner.equals(name, "reason") {
            reason = String(scanner.text(try scanner.string()).prefix(WeirAddition.reasonLimit))
        } else {
            try scanner.skip()
        }
    }

    private func newClaims() -> PeerClaims {
        var claims = PeerClaims()
        claims.viewers = viewers
        return claims
    }

    private static func key(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) -> UInt64 {
        let text = try scanner.string()
        guard (1...16).contains(text.text.count) else { throw JSONScanner.Mismatch() }
        var value: UInt64 = 0
        for place in text.text {
            guard let digit = scanner.bytes[place].hexadecimalValue else { throw JSONScanner.Mismatch() }
            value = value << 4 | UInt64(digit)
        }
        return value
    }

    private static func slot(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) -> Timeslot {
        var rendition: UInt64?
        var number: UInt64?
        var age: Int64?
        var position: Int64?
        var part: Int?
        try scanner.object { (scanner, name) throws(JSONScanner.Mismatch) in
            if scanner.equals(name, "rendition") {
                rendition = try key(&scanner)
            } else if scanner.equals(name, "number") {
                number = try scanner.wholeNumber()
            } else if scanner.equals(name, "age") {
                age = try scanner.integer(in: amounts)
            } else if scanner.equals(name, "position") {
                position = try scanner.integer(in: amounts)
            } else if scanner.equals(name, "part") {
                part = try scanner.integer(in: 0...HeldParts.count - 1)
            } else {
                try scanner.skip()
            }
        }
        guard let rendition, let number else { throw JSONScanner.Mismatch() }
        let place: Timeslot.Place
        if let age {
            place = .live(age: age)
        } else if let position, let part {
            place = .recorded(position: position, part: part)
        } else {
            throw JSONScanner.Mismatch()
        }
        return Timeslot(rendition: RenditionKey(rendition), number: number, place: place)
    }

    /// `[[rendition, parts], …]`, both hexadecimal.
    private static func holdings(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) -> [HeldParts] {
        var found: [HeldParts] = []
        try scanner.array { (scanner) throws(JSONScanner.Mismatch) in
            var words: [UInt64] = []
            try scanner.array { (scanner) throws(JSONScanner.Mismatch) in
                guard words.count < 2 else { throw JSONScanner.Mismatch() }
                words.append(try key(&scanner))
            }
            guard words.count == 2 else { throw JSONScanner.Mismatch() }
            if found.count < ClaimLimits.renditions {
                found.append(HeldParts(rendition: RenditionKey(words[0]), parts: words[1]))
            }
        }
        return found
    }

    /// `[[peer id, good KiB, bad KiB], …]`
    private static func receipts(_ scanner: inout JSONScanner) throws(JSONScanner.Mismatch) -> [Receipt] {
        var found: [Receipt] = []
        try scanner.array { (scanner) throws(JSONScanner.Mismatch) in
            var sender: TrackerPeerID?
            var amounts: [Int] = []
            try scanner.array { (scanner) throws(JSONScanner.Mismatch) in
                if sender == nil {
                    sender = TrackerPeerID(try scanner.byteString(try scanner.string()))
                    if sender == nil { throw JSONScanner.Mismatch() }
                } else {
                    guard amounts.count < 2 else { throw JSONScanner.Mismatch() }
                    amounts.append(try scanner.integer(in: 0...Int(Int32.max)))
                }
            }
            guard let sender, amounts.count == 2 else { throw JSONScanner.Mismatch() }
            if found.count < ClaimLimits.receipts {
                found.append(Receipt(sender: sender, good: amounts[0], bad: amounts[1]))
            }
        }
        return found
    }

    // MARK: Writing

    static func write(_ claims: PeerClaims, into json: inout JSONWriter, _ more: (inout JSONWriter) -> Void = { _ in })
    {
        json.name("weir")
        json.object { json in
            json.member("viewers", claims.viewers)
            json.member("uploads", claims.uploads)
            if let free = claims.freeUpload { json.member("free", free) }
            json.member("dialable", claims.isDialable)
            if let slot = claims.timeslot {
                json.name("slot")
                json.object { json in
                    json.name("rendition")
                    json.hexadecimal(slot.rendition.value)
                    json.member("number", slot.number)
                    switch slot.place {
                    case .live(let age): json.member("age", age)
                    case .recorded(let position, let part):
                        json.member("position", position)
                        json.member("part", part)
                    }
                }
            }
            more(&json)
        }
    }

    static func write(_ holdings: [HeldParts], _ receipts: [Receipt], into json: inout JSONWriter) {
        if !holdings.isEmpty {
            json.name("holds")
            json.array { json in
                for held in holdings {
                    json.element()
                    json.array { json in
                        json.element()
                        json.hexadecimal(held.rendition.value)
                        json.element()
                        json.hexadecimal(held.parts)
                    }
                }
            }
        }
        guard !receipts.isEmpty else { return }
        json.name("receipts")
        json.array { json in
            for receipt in receipts {
                json.element()
                json.array { json in
                    json.element()
                    json.string(bytes: receipt.sender.bytes)
                    json.element()
                    json.number(receipt.good)
                    json.element()
                    json.number(receipt.bad)
                }
            }
        }
    }

    static func write(_ mode: ChannelMode, into json: inout JSONWriter) {
        json.name("weir")
        json.object { json in
            json.member("mode", mode.mode.rawValue)
            json.member("viewers", mode.viewers)
            json.member("reason", mode.reason)
        }
    }
}
