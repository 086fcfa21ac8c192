import WeirCore

/// What pictures and continuous outputs refuse for the same reasons.
extension RequestRefusal {
    static let noStream = RequestRefusal(
        status: 404,
        error: "no such stream here",
        hint: "Open it first: weir play URL, or POST /v1/sessions."
    )

    /// The program that reads media is not there.
    static func lack(_ lack: String) -> RequestRefusal {
        RequestRefusal(
            status: 501,
            error: lack,
            hint: "Open the stream's playlist, install weir-media beside weir, or say where it is by media_program."
        )
    }
}

extension PlayerConnection {
    /// Refuses a request that was understood.
    func decline(_ refusal: RequestRefusal) {
        let fields = [HeaderField("content-type", "application/json"), HeaderField("cache-control", "no-store")]
        answer(status: refusal.status, fields: fields, body: JSONText.error(refusal.error, hint: refusal.hint))
    }

    func decline(_ status: Int, _ error: String, _ hint: String) {
        decline(RequestRefusal(status: status, error: error, hint: hint))
    }
}
