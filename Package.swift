// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours: Swift 6 mode, warnings are errors, imports and existentials are spelled out.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// `Scripts/fuzz` sets the variable: only then is there a program that needs libFuzzer to link, and only then is our
/// code instrumented for it.
let sanitizers = Context.environment["WEIR_FUZZ"]
let instrumented: [SwiftSetting] = sanitizers.map { strict + [.unsafeFlags(["-sanitize=\($0)"])] } ?? strict

let package = Package(
    name: "weir",
    products: [
        .executable(name: "weir", targets: ["weir"]),
        .executable(name: "weir-media", targets: ["weir-media"]),
    ],
    traits: [
        .trait(
            name: "Media",
            description:
                "Continuous outputs, remuxed by libavformat (5.1 or newer). Without it weir-media only says what is missing."
        ),
        .default(enabledTraits: ["Media"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1.git", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        // The reader for DASH manifests.
        .systemLibrary(name: "CXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        // Containers and bitstreams; built only with the trait "Media".
        .systemLibrary(
            name: "CLibAV",
            pkgConfig: "libavformat",
            providers: [.apt(["libavformat-dev", "libavcodec-dev", "libavutil-dev"])]
        ),
        .target(
            name: "WeirCore",
            dependencies: ["CXML2", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: instrumented
        ),
        // Apart from the sockets, because it needs none: fuzzing reads it without building them.
        .target(name: "WeirTrackerJSON", dependencies: ["WeirCore"], swiftSettings: instrumented),
        .target(
            name: "WeirNet",
            dependencies: [
                "WeirCore",
                "WeirTrackerJSON",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                // Linked by async-http-client anyway; here for the meaning of its errors.
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: strict
        ),
        // Apart from the program, because an executable's settings table cannot be imported by tests.
        .target(
            name: "WeirSettings",
            dependencies: ["WeirCore"],
            swiftSettings: strict
        ),
        // A fault in libav must not end the agent, nor its libraries take part in each agent's memory: only this program,
        // which the agent starts, is linked with it.
        .target(name: "WeirMedia", dependencies: ["CLibAV", "WeirCore"], swiftSettings: strict),
        .target(
            name: "WeirSimulation",
            dependencies: ["WeirCore"],
            swiftSettings: strict
        ),
        .target(
            name: "WeirLab",
            dependencies: [
                "WeirNet",
                "WeirCore",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "weir",
            dependencies: [
                "WeirNet",
                "WeirCore",
                "WeirLab",
                "WeirSettings",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "weir-media",
            dependencies: [
                "WeirCore",
                .target(name: "WeirMedia", condition: .when(traits: ["Media"])),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "simulate",
            dependencies: [
                "WeirSimulation",
                "WeirCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict
        ),
        .executableTarget(
            name: "bench",
            dependencies: [
                "WeirFuzz",
                "WeirLab",
                "WeirNet",
                "WeirTrackerJSON",
                "WeirSimulation",
                "WeirCore",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        // What fuzzing demands of the parsers; tests hold the kept inputs to the same.
        .target(name: "WeirFuzz", dependencies: ["WeirCore", "WeirTrackerJSON"], swiftSettings: instrumented),
        .testTarget(name: "WeirCoreTests", dependencies: ["WeirCore", "WeirFuzz"], swiftSettings: strict),
        .testTarget(
            name: "WeirNetTests",
            dependencies: [
                "WeirNet", "WeirLab", "WeirCore", "WeirTrackerJSON",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "SwiftASN1", package: "swift-asn1"),
                .product(name: "X509", package: "swift-certificates"),
            ],
            swiftSettings: strict
        ),
        .testTarget(name: "WeirSettingsTests", dependencies: ["WeirSettings", "WeirCore"], swiftSettings: strict),
        // Runs the program itself, as its users do.
        .testTarget(
            name: "ProgramTests",
            dependencies: [
                "weir", "WeirLab", "WeirNet", "WeirSettings", "WeirCore",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "WeirLabTests",
            dependencies: [
                "WeirLab", "WeirNet", "WeirCore",
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
        .testTarget(
            name: "WeirSimulationTests",
            dependencies: ["WeirSimulation", "WeirCore"],
            swiftSettings: strict
        ),
        .testTarget(
            name: "InteropTests",
            dependencies: [
                "WeirLab", "WeirNet", "WeirSimulation", "WeirCore",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ],
            swiftSettings: strict
        ),
    ]
)

if let sanitizers {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: ["WeirFuzz"],
            swiftSettings: instrumented,
            linkerSettings: [.unsafeFlags(["-sanitize=\(sanitizers)", "-use-ld=lld"])]
        )
    )
}
