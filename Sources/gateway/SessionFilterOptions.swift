internal import ArgumentParser

/// The options that choose open sessions.
struct SessionFilterOptions: ParsableArguments {
    @OptionGroup var place: PlaceFilterOptions

    @Option(help: ArgumentHelp("Only those of this backend.", valueName: "name"))
    var backend: String?

    @Option(help: ArgumentHelp("Only those of this subject.", valueName: "subject"))
    var subject: String?

    /// As the admin address has them.
    var parameters: [(name: String, value: String?)] {
        self.place.parameters + [("backend", self.backend), ("subject", self.subject)]
    }
}
