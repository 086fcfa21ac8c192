import FoundationEssentials
import NIOCore
import Synchronization

/// The files of a directory, read once: media does not change while it is served.
package final class DirectoryContent: OriginContent {
    private let directory: String
    private let read = Mutex<[String: OriginResource]>([:])

    package init(_ directory: String) {
        self.directory = directory
    }

    package func resource(path: String) async -> OriginResource? {
        guard !path.split(separator: "/").contains("..") else { return nil }
        if let known = read.withLock({ $0[path] }) { return known }
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: directory + path)) else { return nil }
        let resource = OriginResource(
            bytes: ByteBuffer(bytes: data),
            contentType: OriginResource.contentType(ofPath: path)
        )
        read.withLock { $0[path] = resource }
        return resource
    }
}
