/// FNV-1a over 64 bits (Fowler, Noll, Vo): equal for equal bytes in every process. It spreads and finds errors; against
/// who chooses the bytes it proves nothing.
struct FowlerNollVoHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
    }

    static func value(of bytes: some Sequence<UInt8>) -> UInt64 {
        var hash = FowlerNollVoHash()
        hash.add(bytes)
        return hash.value
    }
}
