// Patches of DASH manifests: what is new instead of the whole, where the origin offers it. Players always get the whole.
extension Agent {
    /// After a patch that could not be used, the whole is asked for this long; doubling.
    private static let patchPause = Duration.seconds(30)

    /// Where a patch to the copy can be had; nil: the whole is to be asked.
    func patchOffer(_ manifest: Manifest) -> WebURL? {
        guard let offer = manifest.mpd?.patch, manifest.failures == 0, let changed = manifest.changedAt,
            manifest.patchesFrom.map({ $0 <= now }) ?? true
        else { return nil }
        return offer.lifetime.map { now - changed < $0 } ?? true ? offer.url : nil
    }

    /// A patch was asked for, and this came.
    mutating func patchArrived(_ manifest: Manifest, _ fetch: Fetch) {
        guard let old = manifest.mpd else { return manifestFailed(manifest, fetch, .notAManifest("nothing to patch")) }
        do {
            let bytes = try MPDPatch.apply(manifest.received, to: old, limits: limits)
            let mpd = try MPD.parse(bytes, url: old.url, limits: limits)
            manifest.received = bytes
            manifest.isPatching = false
            manifest.patchFailures = 0
            totals.manifest_patches += 1
            mpdArrived(manifest, mpd, base: old.url, fetch)
        } catch {
            manifestFailed(manifest, fetch, .notAManifest("\(error)"))
        }
    }

    /// On any doubt the whole manifest is asked, at once, and for a while no patch is.
    mutating func abandonPatch(_ manifest: Manifest, _ fetch: Fetch, _ failure: ManifestFailure) {
        guard case .manifest(_, let stream, let rendition) = fetch.purpose else { return }
        log(
            .info,
            "a patch of the manifest was of no use; the whole is asked",
            [("stream", stream.id.text), ("why", failure.description)]
        )
        manifest.isPatching = false
        manifest.fetch = nil
        manifest.received = []
        manifest.patchesFrom = now + Agent.patchPause * (1 << min(5, manifest.patchFailures))
        manifest.patchFailures += 1
        fetchManifest(manifest, of: stream, rendition: rendition)
    }
}
