/// One segment on a walk through a rendition, with all that is needed to read it.
package struct WalkedSegment: Sendable, Hashable {
    package struct Key: Sendable, Hashable {
        package var url: WebURL
        /// 16 bytes.
        package var vector: [UInt8]
    }

    /// Bytes of a resource.
    package struct Part: Sendable, Hashable {
        package var url: WebURL
        /// Nil for all of it.
        package var range: ByteRange?

        package init(url: WebURL, range: ByteRange? = nil) {
            self.url = url
            self.range = range
        }
    }

    /// Media sequence number, or the number or time of DASH.
    package var number: UInt64
    package var duration: Duration
    package var media: Part
    /// What has to be read before the media.
    package var section: Part?
    package var key: Key?
    /// Segments of one timeline share it: discontinuity sequence number, or the place of the period. Renditions that
    /// belong together change it together.
    package var timeline: UInt64
    /// Where the segment's period begins; nil in HLS.
    package var period: Duration?
    /// Protected by a scheme whose keys weir never has.
    package var isProtected = false

    /// Whether its bytes may follow the other's in one container: the same timeline and initialisation.
    package func continues(_ before: WalkedSegment) -> Bool {
        timeline == before.timeline && section == before.section
    }
}

/// What a walk does next.
package enum WalkStep: Sendable, Hashable {
    case segment(WalkedSegment)
    /// There is nothing new: read the manifest again after this long.
    case wait(Duration)
    /// The stream is over.
    case end
}
