/// The size of a still picture of a video.
package struct StillSize: Hashable, Sendable {
    package var width: Int
    package var height: Int
    /// How wide a pixel is beside its height.
    package var shape: Double

    package init(width: Int, height: Int, shape: Double = 1) {
        self.width = width
        self.height = height
        self.shape = shape
    }

    /// With square pixels, no wider than that and never larger than it is; even, as colours are halved.
    package func fitting(_ most: Int) -> StillSize {
        let shown = max(2, Double(width) * shape)
        let scale = min(1, Double(max(2, most)) / shown)
        func even(_ size: Double) -> Int { max(2, Int(min(16_384, size).rounded()) & ~1) }
        return StillSize(width: even(shown * scale), height: even(Double(height) * scale))
    }
}
