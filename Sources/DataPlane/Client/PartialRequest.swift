internal import HTTP1

/// A request head that is not whole yet.
struct PartialRequest {
    var bytes: [UInt8] = []
    var parser = RequestHeadParser()
}
