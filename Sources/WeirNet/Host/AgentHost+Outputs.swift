import Logging
import WeirCore

extension AgentHost {
    /// Does what the core wants done.
    func perform(_ output: Output) {
        switch output {
        case .answerBody(let id, let payload): parts.endpoint.answerBody(id, payload)
        case .answerHead(let id, let head): parts.endpoint.answerHead(id, head)
        case .answerBytes(let id, let bytes): parts.endpoint.answerBytes(id, bytes)
        case .answerEnd(let id): parts.endpoint.answerEnd(id)
        case .answerAbort(let id): parts.endpoint.answerAbort(id)
        case .fetch(let id, let request): parts.origin.fetch(id, request)
        case .pauseFetch(let id): parts.origin.pause(id)
        case .resumeFetch(let id): parts.origin.resume(id)
        case .cancelFetch(let id): parts.origin.cancel(id)
        case .dial(let id, let address, let expecting): parts.links.dial(id, address, expecting: expecting)
        case .send(let link, let message, let payload): parts.links.send(link, message, payload: payload)
        case .closeLink(let link, let reason): parts.links.close(link, reason: reason)
        case .openTracker(let id): parts.trackers.open(id)
        case .announce(let id, let request): parts.trackers.announce(id, request)
        case .closeTracker(let id): parts.trackers.close(id)
        case .readSteering(let id, let bytes): inbox.put(.steering(id, SteeringManifestJSON.read(bytes)))
        case .disk(let order): parts.windowFiles?.perform(order)
        case .opened(let id, let result): opened(id, result)
        case .log(let event): log(event)
        case .stopped: coreStopped()
        }
    }

    private func log(_ event: WeirCore.LogEvent) {
        let level: Logger.Level =
            switch event.level {
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning: .warning
            case .error: .error
            }
        guard logger.logLevel <= level else { return }
        var metadata: Logger.Metadata = [:]
        for field in event.metadata { metadata[field.name] = "\(field.value)" }
        logger.log(level: level, "\(event.message)", metadata: metadata)
    }
}
