public import Configuration
public import System

extension SocketFileAccess {
    /// How long to wait for the number of a group.
    private static let limit = Duration.seconds(5)

    /// Looks the group up. This blocks, so it is for the start and for `gateway check`.
    ///
    /// - Parameter subject: the key that has the settings, for messages, such as "admin".
    /// - Throws: one line that says what is wrong with the group.
    public static func find(
        _ settings: FileAccessSettings, of subject: String
    ) throws(StartError) -> SocketFileAccess {
        guard let name = settings.group else { return SocketFileAccess(mode: settings.mode) }
        let answer: Result<UInt32?, SystemError>?
        do throws(SystemError) {
            answer = try BlockingCalls.make(within: self.limit) {
                Result { () throws(SystemError) in try SocketFileAccess.number(ofGroup: name) }
            }
        } catch {
            throw StartError("\(subject): the group \(name) cannot be looked up: \(error)")
        }
        guard let answer else {
            throw StartError("\(subject): the group \(name) was not found within \(self.limit.components.seconds) s")
        }
        return try SocketFileAccess(settings, group: answer, of: subject)
    }

    /// - Parameter group: the result of the look-up of the group: its number, `nil` if there is none, or an error.
    init<Reason: Error & CustomStringConvertible>(
        _ settings: FileAccessSettings, group: Result<UInt32?, Reason>?, of subject: String
    ) throws(StartError) {
        guard let name = settings.group else {
            self.init(mode: settings.mode)
            return
        }
        switch group {
        case .success(let number?): self.init(mode: settings.mode, group: number)
        case .success(nil), nil: throw StartError("\(subject): there is no group \(name)")
        case .failure(let reason): throw StartError("\(subject): the group \(name) cannot be looked up: \(reason)")
        }
    }
}
