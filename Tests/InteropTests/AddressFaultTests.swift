import FoundationEssentials
import Testing
import WeirCore
import WeirLab
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension InteropTests {
    /// Names that stand for a dead and a living address. The program is started in a mount namespace of its own, whose
    /// /etc/hosts says so: it asks the system's resolver as it always does.
    @Suite struct AddressFaultTests {
        @Test("F14 A name whose IPv6 address is a black hole plays by its IPv4 address", .namesOfItsOwn)
        func deadAAAA() async throws {
            try await Stage.with { stage in
                let body = try writeStream(stage)
                let origin = try await stage.origin(DirectoryContent(stage.directory))
                try BlackHole.open(port: origin.address.port, stage)
                let prefix = try OwnNames.prefix(["::1 both.test", "127.0.0.1 both.test"], stage)
                // What the system's resolver tells: the dead address, and first.
                let told = try await stage.run(prefix + ["getent", "ahosts", "both.test"]).output
                #expect(told.hasPrefix("::1 "), "\(told)")
                #expect(told.contains("127.0.0.1"), "\(told)")
                // An attempt that waited for the dead address alone would end by the connect time-out, in an error.
                let agent = try await stage.agent(
                    "http://both.test:\(origin.address.port)/index.m3u8",
                    flags: ["--log-level", "error"],
                    prefix: prefix
                )
                let folder = agent.playbackURL.prefix(through: agent.playbackURL.lastIndex(of: "/") ?? "/".startIndex)
                let answer = try await Web.get("\(folder)0.ts")
                #expect(answer.status == 200)
                #expect(answer.body == body)
                #expect(agent.program.errors.isEmpty, "\(agent.program.errors)")
            }
        }

        @Test("F14 A peer's name whose IPv6 address is a black hole links by its IPv4 address", .namesOfItsOwn)
        func deadAAAAOfPeer() async throws {
            try await Stage.with { stage in
                _ = try writeStream(stage)
                let origin = try await stage.origin(DirectoryContent(stage.directory))
                let url = "\(origin.url)/index.m3u8"
                let there = try await stage.agent(url)
                try BlackHole.open(port: there.swarmPort, stage)
                let prefix = try OwnNames.prefix(["::1 both.test", "127.0.0.1 both.test"], stage)
                let agent = try await stage.agent(url, peers: ["both.test:\(there.swarmPort)"], prefix: prefix)
                #expect(try await agent.isLinked(to: 1))
            }
        }

        @Test(
            "F14 A name whose addresses are all black holes ends in one line and 69",
            .namesOfItsOwn,
            .timeLimit(.minutes(1))
        )
        func allDead() async throws {
            try await Stage.with { stage in
                let port = try await freePort()
                try BlackHole.open(port: port, stage)
                // TEST-NET-1 (RFC 5737): nobody answers there.
                let prefix = try OwnNames.prefix(["::1 dead.test", "192.0.2.1 dead.test"], stage)
                let command = [Programs.weir, "play", "http://dead.test:\(port)/index.m3u8"]
                let result = try await stage.run(prefix + command, within: 50)
                #expect(result.code == 69, "\(result.errors)")
                #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
                #expect(result.errors.contains("cannot play http://dead.test:\(port)/"), "\(result.errors)")
            }
        }

        /// A recording of one segment.
        ///
        /// - Returns: the segment's bytes.
        private func writeStream(_ stage: Stage) throws -> [UInt8] {
            let body = (0..<188 * 400).map { $0 % 188 == 0 ? 0x47 : UInt8(truncatingIfNeeded: $0 / 188) }
            let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nsegment.ts\n#EXT-X-ENDLIST\n"
            try Data(body).write(to: URL(fileURLWithPath: stage.directory + "/segment.ts"))
            try Data(list.utf8).write(to: URL(fileURLWithPath: stage.directory + "/index.m3u8"))
            return body
        }
    }
}

/// Host names that only one program knows.
private enum OwnNames {
    private static let unshare = ["unshare", geteuid() == 0 ? "--mount" : "--map-root-user", "--mount"]

    /// A mount namespace, and for who is not root a user namespace, and IPv6 on loopback.
    static func arePossible() async -> Bool {
        guard Programs.exists("unshare"), Programs.exists(Programs.weir),
            readText("/proc/net/if_inet6").split(separator: "\n").contains(where: { $0.hasSuffix(" lo") }),
            let attempt = try? ChildProcess(
                unshare + ["mount", "--bind", "/etc/hosts", "/etc/hosts"],
                output: .discarded,
                errors: .discarded
            )
        else { return false }
        return await attempt.exitCode() == 0
    }

    /// The beginning of a command that sees this in place of /etc/hosts.
    static func prefix(_ lines: [String], _ stage: Stage) throws -> [String] {
        let file = stage.directory + "/hosts"
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: file))
        return unshare + ["sh", "-c", #"mount --bind "$0" /etc/hosts && exec "$@""#, file]
    }
}

extension Trait where Self == ConditionTrait {
    fileprivate static var namesOfItsOwn: ConditionTrait {
        .enabled("MISSING: mount namespaces (root, or user namespaces), or IPv6 on loopback") {
            await OwnNames.arePossible()
        }
    }
}

/// A listener on `::1` that answers no SYN: its queue of connections is full and nobody accepts.
private enum BlackHole {
    static func open(port: Int, _ stage: Stage) throws {
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = UInt16(port).bigEndian
        address.sin6_addr = in6addr_loopback
        let length = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let kind = Int32(SOCK_STREAM.rawValue)
        let listener = socket(AF_INET6, kind, 0)
        var sockets = [listener]
        let isBound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, length) }
        }
        try #require(isBound == 0 && listen(listener, 0) == 0)
        for _ in 0..<4 {
            let filler = socket(AF_INET6, kind | Int32(SOCK_NONBLOCK.rawValue), 0)
            _ = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(filler, $0, length) }
            }
            sockets.append(filler)
        }
        stage.atEnd { [sockets] in for socket in sockets { close(socket) } }
    }
}
