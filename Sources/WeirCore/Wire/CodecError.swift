/// Why bytes from a peer are no message of wire version 1.
package enum CodecError: Error, Hashable, Sendable {
    /// A number longer than its type, or a value outside its limits.
    case number
    /// The header ended in the middle of a field.
    case truncated
    /// Bytes were left over behind the last field.
    case trailing
    /// A frame or a list larger than `Limits` allow.
    case tooLarge
    /// The hello's magic is not weir's.
    case notWeir
    /// No version in common.
    case version
    /// A payload where the type has none, or none where it needs one.
    case payload
}
