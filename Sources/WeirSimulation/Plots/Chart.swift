import WeirCore

/// A rectangle with two scales, into which lines are drawn.
struct Chart {
    /// Corner and size on the page.
    let x: Double
    let y: Double
    let width: Double
    let height: Double
    /// What its edges stand for.
    let across: ClosedRange<Double>
    let up: ClosedRange<Double>

    func place(_ horizontal: Double, _ vertical: Double) -> (x: Double, y: Double) {
        let right = (horizontal - across.lowerBound) / max(across.upperBound - across.lowerBound, 1e-9)
        let top = (vertical - up.lowerBound) / max(up.upperBound - up.lowerBound, 1e-9)
        return (x + width * min(1, max(0, right)), y + height * (1 - min(1, max(0, top))))
    }

    /// Frame, grid and the words beside it.
    func drawAxes(in svg: inout SVG, title: String, acrossUnit: String, upText: (Double) -> String) {
        svg.text(title, at: (x, y - 8), size: 13, isBold: true)
        for value in Chart.ticks(up) {
            let left = place(across.lowerBound, value)
            svg.line(left, place(across.upperBound, value), "#dddddd")
            svg.text(upText(value), at: (left.x - 6, left.y + 4), size: 11, anchor: .end)
        }
        for value in Chart.ticks(across) {
            let foot = place(value, up.lowerBound)
            svg.line(foot, (foot.x, foot.y + 4), "#888888")
            svg.text(Chart.text(value), at: (foot.x, foot.y + 16), size: 11, anchor: .middle)
        }
        svg.text(acrossUnit, at: (x + width, y + height + 30), size: 11, anchor: .end)
        svg.line(place(across.lowerBound, up.lowerBound), place(across.upperBound, up.lowerBound), "#888888")
        svg.line(place(across.lowerBound, up.lowerBound), place(across.lowerBound, up.upperBound), "#888888")
    }

    /// About five round values within a range.
    static func ticks(_ range: ClosedRange<Double>) -> [Double] {
        let span = range.upperBound - range.lowerBound
        guard span > 0, span.isFinite else { return [range.lowerBound] }
        var step = 1.0
        while step * 5 < span { step *= 10 }
        while step * 5 > span * 10 { step /= 10 }
        for finer in [0.1, 0.2, 0.5, 1] where span / (step * finer) <= 6 {
            step *= finer
            break
        }
        var value = (range.lowerBound / step).rounded(.up) * step
        var result: [Double] = []
        while value <= range.upperBound + step * 1e-6, result.count < 20 {
            result.append(value)
            value += step
        }
        return result
    }

    /// Without decimals where none are needed.
    static func text(_ value: Double) -> String {
        let whole = value.rounded()
        if abs(value - whole) < 1e-6 { return DecimalText.format(whole, digits: 0) }
        return DecimalText.format(value, digits: abs(value * 10 - (value * 10).rounded()) < 1e-6 ? 1 : 2)
    }
}
