/// Is told what happens to a link, on the thread of its loop. It may use the link meanwhile.
public protocol RedisLinkOwner: AnyObject {
    /// Commands can be sent. Channels are subscribed to anew from here on: `subscribed` says when the messages of one come.
    func linkUp()

    /// There is no link, and the next attempt follows. Told for each attempt that failed.
    ///
    /// - Parameter reason: half a sentence for the log.
    func linkDown(_ reason: String)

    /// From here on the messages of the channel come, without a gap until `linkDown`. What was published before may be in the history.
    func subscribed(to channel: [UInt8])

    /// A message of a channel, in the order in which the server got them.
    func received(_ payload: [UInt8], on channel: [UInt8])
}
