internal import ArgumentParser

/// The options that choose sessions, open or ended, by where they come from and lead to.
struct PlaceFilterOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only those of this route, by the name that the log has.", valueName: "name"))
    var route: String?

    @Option(help: ArgumentHelp("Only those of this endpoint, as it is written in the configuration.", valueName: "url"))
    var endpoint: String?

    @Option(help: ArgumentHelp("Only those from this address or network, such as 10.0.0.0/8.", valueName: "network"))
    var client: String?

    /// As the admin address has them.
    var parameters: [(name: String, value: String?)] {
        [("route", self.route), ("endpoint", self.endpoint), ("client", self.client)]
    }
}
