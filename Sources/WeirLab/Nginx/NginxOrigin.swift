import FoundationEssentials
package import WeirCore
import WeirNet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An nginx with a prefix, a port and an access log of its own, ended by its process id: the independent origin of
/// interop tests and benches.
package final class NginxOrigin: Sendable {
    /// A line of its access log.
    package struct Entry: Sendable, Equatable {
        /// Seconds since 1970, when the answer ended.
        package var time: Double
        package var status: Int
        /// Body bytes sent.
        package var bytes: Int64
        /// The Range header; nil without.
        package var range: String?
        package var path: String
        package var method = "GET"
    }

    package let address: PeerAddress
    private let process: ChildProcess
    private let prefix: String

    package var url: String { "http://\(address)" }
    /// Its master, and then its worker once that has started.
    package var processes: [Int32] { [process.identifier] + ProcessClock.children(of: process.identifier) }

    private init(address: PeerAddress, process: ChildProcess, prefix: String) {
        self.address = address
        self.process = process
        self.prefix = prefix
    }

    /// - Parameters:
    ///   - root: the directory it serves.
    ///   - sendfile: nginx's own switch; benches report both.
    ///   - directives: further ones of its `http` block.
    ///   - logs: whether it writes an access log.
    ///   - host: where it runs.
    package static func start(
        root: String,
        sendfile: Bool = true,
        directives: String = "",
        logs: Bool = true,
        on host: LabHost = .loopback
    ) async throws -> NginxOrigin {
        let prefix = "\(URL.temporaryDirectory.path())weir-nginx-\(UInt32.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(atPath: prefix, withIntermediateDirectories: true)
        let port = try await FreePort.find()
        let log = logs ? "access.log weir" : "off"
        let address = PeerAddress(host: host.address, port: port)
        try Data(configuration(root: root, address, sendfile: sendfile, directives: directives, log: log).utf8)
            .write(to: URL(fileURLWithPath: prefix + "/nginx.conf"))
        let process: ChildProcess
        do {
            // Debian's place is not in the PATH of users.
            let program = FileManager.default.isExecutableFile(atPath: "/usr/sbin/nginx") ? "/usr/sbin/nginx" : "nginx"
            process = try host.inside {
                try ChildProcess(
                    [program, "-p", prefix, "-c", "nginx.conf", "-e", "error.log"],
                    output: .discarded,
                    errors: .discarded,
                    ownGroup: true
                )
            }
        } catch {
            throw LabError("cannot start nginx: \(error) (Scripts/setup installs it)")
        }
        let origin = NginxOrigin(address: address, process: process, prefix: prefix)
        do {
            try await host.waitUntilListening(port: port)
        } catch {
            let reason = origin.errors()
            await origin.stop()
            throw LabError("nginx: \(error): \(reason ?? "no error log")")
        }
        return origin
    }

    /// Stops its processes as they are: connections are taken by the kernel and nobody answers; `thaw` goes on.
    package func freeze() { _ = kill(-process.identifier, SIGSTOP) }
    package func thaw() { _ = kill(-process.identifier, SIGCONT) }

    /// Ends nginx and removes its prefix.
    package func stop() async {
        thaw()
        await process.endAndWait()
        try? FileManager.default.removeItem(atPath: prefix)
    }

    /// Everything in the access log that nginx has written; answers in progress are not in it.
    package func entries() -> [Entry] {
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: prefix + "/access.log")) else { return [] }
        return String(decoding: data, as: UTF8.self).split(separator: "\n").compactMap { NginxOrigin.entry(line: $0) }
    }

    static func entry(line: some StringProtocol) -> Entry? {
        let words = line.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count >= 5, let time = Double(words[0]), let status = Int(words[1]), let bytes = Int64(words[2])
        else {
            return nil
        }
        return Entry(
            time: time,
            status: status,
            bytes: bytes,
            range: words[3] == "-" ? nil : String(words[3]),
            path: String(words[4].prefix { $0 != "?" }),
            method: words.count > 5 ? String(words[5]) : "GET"
        )
    }

    // As root its worker would become nobody, who may not read the checkout.
    private static func configuration(
        root: String,
        _ address: PeerAddress,
        sendfile: Bool,
        directives: String,
        log: String
    ) -> String {
        """
        \(geteuid() == 0 ? "user root;" : "")
        daemon off;
        worker_processes 1;
        pid nginx.pid;
        events { worker_connections 1024; }
        http {
            log_format weir '$msec $status $body_bytes_sent $http_range $request_uri $request_method';
            access_log \(log);
            types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; video/mp4 mp4 m4s; audio/aac aac; text/vtt vtt; }
            # Readers that count on one connection must not be cut off after nginx's thousand.
            keepalive_requests 100000000;
            default_type application/octet-stream;
            sendfile \(sendfile ? "on" : "off");
            \(directives)
            client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
            uwsgi_temp_path uwsgi; scgi_temp_path scgi;
            server {
                listen \(address);
                root \(root);
            }
        }

        """
    }

    private func errors() -> String? {
        (try? Data(contentsOf: URL(fileURLWithPath: prefix + "/error.log"))).map { String(decoding: $0, as: UTF8.self) }
    }
}
