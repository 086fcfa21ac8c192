import Testing
import WeirCore

@testable import WeirNet

@Suite("Steering manifests") struct SteeringManifestTests {
    private func read(_ text: String) -> SteeringManifest? { SteeringManifestJSON.read(Array(text.utf8)) }

    @Test("Every member is read, unknown ones are passed over") func whole() throws {
        let manifest = try #require(
            read(
                """
                {"VERSION":1,"TTL":60.5,"RELOAD-URI":"https://example.com/s?x=1","PATHWAY-PRIORITY":["C","A"],"NEW":{},
                "PATHWAY-CLONES":[{"BASE-ID":"A","ID":"C","URI-REPLACEMENT":{"HOST":"c.example.com","PARAMS":{"k":"v"},
                "PER-VARIANT-URIS":{"1":"https://c.example.com/1"},"PER-RENDITION-URIS":{"2":"https://c.example.com/2"}}}]}
                """
            )
        )
        let clone = PathwayClone(
            base: "A",
            id: "C",
            host: "c.example.com",
            parameters: ["k": "v"],
            variantURIs: ["1": "https://c.example.com/1"],
            renditionURIs: ["2": "https://c.example.com/2"]
        )
        let expected = SteeringManifest(
            lifetime: .seconds(60),
            reloadURI: "https://example.com/s?x=1",
            priority: ["C", "A"],
            clones: [clone]
        )
        #expect(manifest == expected)
    }

    @Test("What may be missing may be missing, and a TTL is a time")
    func little() throws {
        #expect(read("{\"VERSION\":1,\"PATHWAY-PRIORITY\":[\"A\"]}") == SteeringManifest(priority: ["A"]))
        for (text, seconds) in [("-5", 0), ("1e300", 86_400)] {
            let manifest = try #require(read("{\"VERSION\":1,\"TTL\":\(text),\"PATHWAY-PRIORITY\":[]}"))
            #expect(manifest.lifetime == .seconds(seconds))
        }
    }

    @Test(
        "What is no steering manifest is nothing",
        arguments: [
            "", "[]", "{}", "<html>", "{\"VERSION\":1}", "{\"VERSION\":\"1\",\"PATHWAY-PRIORITY\":[]}",
            "{\"VERSION\":1,\"PATHWAY-PRIORITY\":\"A\"}",
            "{\"VERSION\":1,\"PATHWAY-PRIORITY\":[],\"PATHWAY-CLONES\":[{}]}",
        ]
    )
    func garbage(text: String) {
        #expect(read(text) == nil)
    }

    @Test("DASH's earlier name of the priority is read as well, and one of both must be there")
    func serviceLocations() {
        #expect(read(#"{"VERSION":1,"TTL":5,"SERVICE-LOCATION-PRIORITY":["b","a"]}"#)?.priority == ["b", "a"])
        #expect(read(#"{"VERSION":1,"PATHWAY-PRIORITY":["p"],"SERVICE-LOCATION-PRIORITY":["b"]}"#)?.priority == ["p"])
        #expect(read(#"{"VERSION":1,"TTL":5}"#) == nil)
    }
}
