extension Representation {
    /// More servers of one representation are nobody's.
    static let mostBases = 8

    /// A base URL, and what is said of it (5.6).
    package struct BaseChoice: Hashable, Sendable {
        package let url: WebURL
        /// What fails together, and what steering servers call it by.
        package let serviceLocation: String?
        /// DVB's order of preference (ETSI TS 103 285, 10.8.2.1): the lowest is asked first.
        let priority: UInt64
        /// DVB's share of the viewers among base URLs of equal priority; nil: not said.
        let weight: UInt64?
        let availabilityOffset: Duration
        let isComplete: String?

        init(manifest url: WebURL) {
            self.url = url
            serviceLocation = nil
            priority = 1
            weight = nil
            availabilityOffset = .zero
            isComplete = nil
        }

        private init?(_ element: MPDElement, below outer: BaseChoice) {
            guard let url = outer.url.resolve(element.text.trimmed) else { return nil }
            self.url = url
            let isSameServer = url.originKey == outer.url.originKey
            serviceLocation = element["serviceLocation"] ?? (isSameServer ? outer.serviceLocation : nil)
            priority = element.dvb("priority") ?? outer.priority
            weight = element.dvb("weight") ?? outer.weight
            availabilityOffset = outer.availabilityOffset + (element.offset("availabilityTimeOffset") ?? .zero)
            isComplete = element["availabilityTimeComplete"] ?? outer.isComplete
        }

        /// What a BaseURL element inside of this one's level names; nil when that is neither http nor https.
        func choice(_ element: MPDElement) -> BaseChoice? { BaseChoice(element, below: self) }
    }

    /// An initialisation section: the same under every base URL.
    struct Section: Hashable, Sendable {
        /// Relative to the base URL; nil: the base URL's own resource.
        let reference: [UInt8]?
        let range: ByteRange?

        func url(from base: WebURL) -> WebURL? { reference.map { base.resolve($0[...]) } ?? base }
    }
}

extension MPDElement {
    /// An attribute of DVB's extensions: a number from 1 to 2^32.
    fileprivate func dvb(_ name: String) -> UInt64? {
        attributes.first { $0.namespace == "urn:dvb:dash:dash-extensions:2014-1" && $0.localName == name }
            .flatMap { DecimalText.integer(Array($0.value.utf8)[...].trimmingBlanks) }
            .flatMap { (1...(1 << 32)).contains($0) ? $0 : nil }
    }
}
