package import Logging
package import NIOCore
import NIOPosix
package import WeirCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where the list of channels comes from, and when it is read again.
///
/// A file is looked at before each request for a channel, and read when it has changed; what an address gives is
/// fetched again after ten minutes. Reading and parsing happen off the event loop. A list that cannot be read or is none
/// is logged, and the one before stays.
///
/// Legal transitions: idle → reading → idle, any → closed. Confined to its event loop, which is what makes it Sendable.
package final class ChannelSource: @unchecked Sendable {
    package enum Location: Sendable, Equatable {
        case file(String)
        case url(String)

        package init(_ text: String) {
            let isURL = ["http://", "https://"].contains { text.lowercased().hasPrefix($0) }
            self = isURL ? .url(text) : .file(text)
        }
    }

    /// What tells that a file changed.
    private struct Stamp: Equatable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int
    }

    private enum Reading: Sendable {
        case unchanged
        case list(ChannelList)
        case failed(String)
    }

    /// How old what an address gave may be.
    private static let shelfLife = TimeAmount.minutes(10)
    /// No player waits longer for a newer list.
    private static let patience = TimeAmount.seconds(4)

    private let location: Location
    private let limits: Limits
    private let loop: any EventLoop
    private let logger: Logger
    private let deliver: @Sendable (ChannelList) -> Void
    private let origin: OriginSettings
    private var stamp: Stamp?
    private var readAt: NIODeadline?
    private var download: ChannelDownload?
    /// Who waits for the reading under way.
    private var waiting: [() -> Void] = []
    private var isReading = false
    private var isClosed = false
    private var hasList = false
    /// Why the latest reading came to nothing; nil when it did not.
    package private(set) var failure: String?

    package init(
        _ location: Location,
        limits: Limits,
        origin: OriginSettings,
        loop: any EventLoop,
        logger: Logger,
        deliver: @escaping @Sendable (ChannelList) -> Void
    ) {
        self.location = location
        self.limits = limits
        self.origin = origin
        self.loop = loop
        self.logger = logger
        self.deliver = deliver
    }

    /// Calls back on the loop as soon as the list is as new as it can be had; at once when nothing is to be waited for.
    package func refresh(then resume: @escaping () -> Void) {
        loop.preconditionInEventLoop()
        guard !isClosed else { return resume() }
        switch location {
        case .file(let path):
            waiting.append(resume)
            if !isReading { read(path) }
        case .url(let url):
            let isOld = readAt.map { NIODeadline.now() - $0 > Self.shelfLife } ?? true
            if isOld, !isReading { fetch(url) }
            if hasList || !isReading { return resume() }
            waiting.append(resume)
            _ = loop.assumeIsolated().scheduleTask(in: Self.patience) { [weak self] in self?.resumeAll() }
        }
    }

    /// Reads it again, changed or not.
    package func reload() {
        stamp = nil
        readAt = nil
        refresh {}
    }

    func close() {
        isClosed = true
        download?.cancel()
        download = nil
        resumeAll()
    }

    private func resumeAll() {
        let resumed = waiting
        waiting = []
        for resume in resumed { resume() }
    }

    private func finish(_ reading: Reading) {
        isReading = false
        guard !isClosed else { return }
        switch reading {
        case .unchanged: break
        case .list(let list):
            failure = nil
            hasList = true
            deliver(list)
        case .failed(let reason):
            failure = reason
            let kept = hasList ? "; the one before stays" : ""
            logger.warning("the list of channels cannot be read\(kept)", metadata: ["why": "\(reason)"])
        }
        resumeAll()
    }

    // MARK: Files

    private func read(_ path: String) {
        isReading = true
        let known = stamp
        let limits = limits
        let work = NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
            Self.read(path, unless: known, limits)
        }
        work.assumeIsolated().whenComplete { [self] result in
            switch result {
            case .success(let (found, reading)):
                // A broken file is not read again before it changes.
                stamp = found
                finish(reading)
            case .failure(let error): finish(.failed("\(error)"))
            }
        }
    }

    private static func read(_ path: String, unless known: Stamp?, _ limits: Limits) -> (Stamp?, Reading) {
        var information = stat()
        guard stat(path, &information) == 0 else {
            return (nil, .failed("\(path): \(String(cString: strerror(errno)))"))
        }
        let stamp = Stamp(
            inode: UInt64(information.st_ino),
            size: Int64(information.st_size),
            seconds: information.st_mtim.tv_sec,
            nanoseconds: information.st_mtim.tv_nsec
        )
        guard stamp != known else { return (stamp, .unchanged) }
        do {
            let bytes = try WholeFile.read(path, most: limits.channelListBytes)
            return (stamp, .list(try ChannelList(parsing: bytes, limits: limits)))
        } catch {
            return (stamp, .failed("\(path): \(error)"))
        }
    }

    // MARK: Addresses

    private func fetch(_ url: String) {
        isReading = true
        readAt = .now()
        do {
            let download = try ChannelDownload(url, limits: limits, origin: origin, loop: loop) { [weak self] result in
                self?.downloaded(result)
            }
            self.download = download
            download.start()
        } catch {
            finish(.failed("\(error)"))
        }
    }

    private func downloaded(_ result: ChannelDownload.Result) {
        download = nil
        switch result {
        case .failed(let reason):
            // Tried again with the next request, but not with each of a row.
            readAt = .now() - Self.shelfLife + .seconds(5)
            finish(.failed(reason))
        case .body(let bytes, let base):
            let limits = limits
            let work = NIOThreadPool.singleton.runIfActive(eventLoop: loop) { () -> Reading in
                do {
                    return .list(try ChannelList(parsing: bytes, base: base, limits: limits))
                } catch {
                    return .failed("\(error)")
                }
            }
            work.assumeIsolated().whenComplete { [self] result in
                switch result {
                case .success(let reading): finish(reading)
                case .failure(let error): finish(.failed("\(error)"))
                }
            }
        }
    }
}

/// Whole files, up to a size.
enum WholeFile {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    static func read(_ path: String, most: Int) throws(Failure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(description: String(cString: strerror(errno))) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            let count = next(descriptor, &block)
            guard count >= 0 else { throw Failure(description: String(cString: strerror(errno))) }
            if count == 0 { return bytes }
            bytes += block[..<count]
            if bytes.count > most { throw Failure(description: "it is larger than \(most >> 20) MiB") }
        }
    }

    private static func next(_ descriptor: Int32, _ block: inout [UInt8]) -> Int {
        block.withUnsafeMutableBytes { buffer in
            #if canImport(Glibc)
                Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #else
                Musl.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
        }
    }
}
