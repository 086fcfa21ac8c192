import Glibc
import WeirFuzz

/// libFuzzer's own command line, with one of our functions as what it feeds.
///
///     WEIR_FUZZ_TARGET=playlist fuzz [flags of libFuzzer] [folders or files]
///
/// The variable, and no argument, says which, because libFuzzer hands its arguments on to the processes that it starts
/// to make a finding smaller.
@main
enum Driver {
    /// One per process: libFuzzer calls back without a context.
    static let target: FuzzTarget = {
        let name = getenv("WEIR_FUZZ_TARGET").map { String(cString: $0) } ?? ""
        guard let target = FuzzTarget(rawValue: name) else {
            fatalError("WEIR_FUZZ_TARGET must be one of \(FuzzTarget.allCases.map(\.rawValue))")
        }
        return target
    }()

    static func main() {
        exit(run())
    }

    private static func run() -> CInt {
        var count = CommandLine.argc
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
        return runDriver(&count, &arguments, feed)
    }
}

private func feed(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    if let fault = Driver.target.fault(in: bytes) { fatalError("\(Driver.target.rawValue): \(fault)") }
    return 0
}

/// `LLVMFuzzerRunDriver` (LLVM, FuzzerInterface.h): runs until its limits are reached or something is found.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ feed: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt
