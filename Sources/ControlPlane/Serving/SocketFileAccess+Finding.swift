public import Configuration
public import System

extension SocketFileAccess {
    /// How long the system may take to say what a group's name stands for, where nothing goes on meanwhile.
    private static let limit = Duration.seconds(5)

    /// Looks the group up, and waits, but not for ever: before the gateway serves, and for `gateway check`.
    ///
    /// - Parameter subject: what it belongs to, for messages: "admin".
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

    /// - Parameter group: what the system says of the group's name: its number, that there is none, or why it does not know.
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
