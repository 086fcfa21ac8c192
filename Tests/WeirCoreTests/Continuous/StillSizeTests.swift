import Testing
import WeirCore

@Suite("The size of still pictures") struct StillSizeTests {
    @Test(
        "A picture keeps its shape, is even, and is never larger than it was or than allowed",
        arguments: [
            (StillSize(width: 1280, height: 720), 480, StillSize(width: 480, height: 270)),
            (StillSize(width: 1920, height: 1080), 480, StillSize(width: 480, height: 270)),
            (StillSize(width: 320, height: 180), 480, StillSize(width: 320, height: 180)),
            (StillSize(width: 720, height: 576, shape: 64.0 / 45), 512, StillSize(width: 512, height: 288)),
            (StillSize(width: 1, height: 1), 480, StillSize(width: 2, height: 2)),
            (StillSize(width: 16, height: 100_000), 480, StillSize(width: 16, height: 16_384)),
        ]
    )
    func fitting(size: StillSize, most: Int, expected: StillSize) {
        #expect(size.fitting(most) == expected)
    }
}
