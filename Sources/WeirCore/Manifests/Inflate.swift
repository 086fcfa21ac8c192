/// Reads DEFLATE (RFC 1951) inside gzip (RFC 1952) or zlib (RFC 1950): weir asks for playlists as they are, and servers
/// exist that store them compressed and send nothing else.
///
/// Nothing in the bytes traps, and no output grows beyond the limit that is given. Checksums are not compared: a
/// playlist is parsed anyway.
struct Inflate {
    enum Refusal: Error, Equatable { case malformed, tooLarge }

    private let input: ArraySlice<UInt8>
    private let limit: Int
    private var index: Int
    private var bits: UInt32 = 0
    private var bitCount: UInt32 = 0
    private var output: [UInt8] = []

    private init(_ input: ArraySlice<UInt8>, limit: Int) {
        self.input = input
        self.limit = limit
        index = input.startIndex
    }

    /// Whether the bytes begin as gzip does.
    static func isGzip(_ bytes: [UInt8]) -> Bool { bytes.starts(with: [0x1F, 0x8B, 0x08]) }

    /// - Parameter limit: bytes of output.
    static func gzip(_ bytes: [UInt8], limit: Int) throws(Refusal) -> [UInt8] {
        guard isGzip(bytes), bytes.count >= 18 else { throw .malformed }
        let flags = bytes[3]
        var start = 10
        if flags & 4 != 0 { start += 2 + Int(bytes[10]) + Int(bytes[11]) << 8 }
        // A file name and a comment, each ended by a zero.
        for flag: UInt8 in [8, 16] where flags & flag != 0 {
            while start < bytes.count, bytes[start] != 0 { start += 1 }
            start += 1
        }
        if flags & 2 != 0 { start += 2 }
        guard start < bytes.count else { throw .malformed }
        return try deflated(bytes[start...], limit: limit)
    }

    /// The coding that HTTP calls `deflate`: zlib, or, as some servers have it, nothing around the data.
    static func zlib(_ bytes: [UInt8], limit: Int) throws(Refusal) -> [UInt8] {
        guard bytes.count >= 2 else { throw .malformed }
        let isZlib = bytes[0] & 15 == 8 && (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
        return try deflated(bytes[(isZlib ? 2 : 0)...], limit: limit)
    }

    private static func deflated(_ bytes: ArraySlice<UInt8>, limit: Int) throws(Refusal) -> [UInt8] {
        var reader = Inflate(bytes, limit: limit)
        var isLast = false
        while !isLast {
            isLast = try reader.take(1) == 1
            switch try reader.take(2) {
            case 0: try reader.readStored()
            case 1: try reader.readCodes(.fixedLiterals, .fixedDistances)
            case 2:
                let (literals, distances) = try reader.readTables()
                try reader.readCodes(literals, distances)
            default: throw .malformed
            }
        }
        return reader.output
    }

    // MARK: Bits

    private mutating func take(_ count: UInt32) throws(Refusal) -> Int {
        while bitCount < count {
            guard index < input.endIndex else { throw .malformed }
            bits |= UInt32(input[index]) << bitCount
            index += 1
            bitCount += 8
        }
        let value = bits & ((1 << count) - 1)
        bits >>= count
        bitCount -= count
        return Int(value)
    }

    private mutating func put(_ byte: UInt8) throws(Refusal) {
        guard output.count < limit else { throw .tooLarge }
        output.append(byte)
    }

    // MARK: Blocks

    private mutating func readStored() throws(Refusal) {
        bits = 0
        bitCount = 0
        let length = try take(16)
        let complement = try take(16)
        guard length == ~complement & 0xFFFF, input.endIndex - index >= length else { throw .malformed }
        guard output.count + length <= limit else { throw .tooLarge }
        output += input[index..<index + length]
        index += length
    }

    private mutating func readCodes(_ literals: Table, _ distances: Table) throws(Refusal) {
        while true {
            let symbol = try read(literals)
            if symbol < 256 {
                try put(UInt8(symbol))
                continue
            }
            if symbol == 256 { return }
            guard symbol - 257 < Inflate.lengths.count else { throw .malformed }
            let (base, extra) = Inflate.lengths[symbol - 257]
            let length = base + (try take(extra))
            let code = try read(distances)
            guard code < Inflate.distances.count else { throw .malformed }
            let (near, more) = Inflate.distances[code]
            let distance = near + (try take(more))
            guard distance <= output.count else { throw .malformed }
            for _ in 0..<length { try put(output[output.count - distance]) }
        }
    }

    private mutating func readTables() throws(Refusal) -> (literals: Table, distances: Table) {
        let literalCount = try take(5) + 257
        let distanceCount = try take(5) + 1
        let codeCount = try take(4) + 4
        var codeLengths = [UInt8](repeating: 0, count: 19)
        for place in Inflate.codeOrder.prefix(codeCount) { codeLengths[place] = UInt8(try take(3)) }
        guard let codes = Table(codeLengths) else { throw .malformed }
        var all: [UInt8] = []
        while all.count < literalCount + distanceCount {
            let symbol = try read(codes)
            switch symbol {
            case ..<16: all.append(UInt8(symbol))
            case 16:
                guard let last = all.last else { throw .malformed }
                all += [UInt8](repeating: last, count: 3 + (try take(2)))
            case 17: all += [UInt8](repeating: 0, count: 3 + (try take(3)))
            default: all += [UInt8](repeating: 0, count: 11 + (try take(7)))
            }
        }
        guard all.count == literalCount + distanceCount, let literals = Table(Array(all[..<literalCount])),
            let distances = Table(Array(all[literalCount...]))
        else { throw .malformed }
        return (literals, distances)
    }

    private mutating func read(_ table: Table) throws(Refusal) -> Int {
        var code = 0
        var first = 0
        var place = 0
        for length in 1...15 {
            code |= try take(1)
            let count = table.counts[length]
            if code - count < first { return table.symbols[place + code - first] }
            place += count
            first = (first + count) << 1
            code <<= 1
        }
        throw .malformed
    }

    /// A canonical Huffman code (RFC 1951 3.2.2).
    private struct Table {
        /// How many codes have each length.
        var counts = [Int](repeating: 0, count: 16)
        /// In the order of their codes.
        var symbols: [Int] = []

        /// Nil when there are more codes than their lengths have room for.
        init?(_ lengths: [UInt8]) {
            for length in lengths where length > 0 { counts[Int(length)] += 1 }
            var room = 1
            for length in 1...15 {
                room = room << 1 - counts[length]
                guard room >= 0 else { return nil }
            }
            for length in 1...15 {
                symbols += lengths.indices.filter { Int(lengths[$0]) == length }
            }
        }

        private init(symbolsOf lengths: [UInt8]) {
            guard let table = Table(lengths) else { preconditionFailure("a code of the standard") }
            self = table
        }

        static let fixedLiterals = Table(
            symbolsOf: [UInt8](repeating: 8, count: 144) + [UInt8](repeating: 9, count: 112)
                + [UInt8](repeating: 7, count: 24) + [UInt8](repeating: 8, count: 8)
        )
        static let fixedDistances = Table(symbolsOf: [UInt8](repeating: 5, count: 30))
    }

    /// RFC 1951 3.2.5: base and extra bits.
    private static let lengths: [(Int, UInt32)] = {
        var table: [(Int, UInt32)] = (3...10).map { ($0, 0) }
        var base = 11
        for extra: UInt32 in 1...5 {
            for _ in 0..<4 {
                table.append((base, extra))
                base += 1 << extra
            }
        }
        return table + [(258, 0)]
    }()

    private static let distances: [(Int, UInt32)] = {
        var table: [(Int, UInt32)] = [(1, 0), (2, 0), (3, 0), (4, 0)]
        var base = 5
        for extra: UInt32 in 1...13 {
            for _ in 0..<2 {
                table.append((base, extra))
                base += 1 << extra
            }
        }
        return table
    }()

    private static let codeOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
}
