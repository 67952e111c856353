import Configuration
import System
import Testing

@testable import Redis

/// The link's decisions, with a server that is played by hand.
@Suite struct LinkMachineTests {
    private static let second = MonotonicInstant(nanoseconds: 1_000_000_000)

    /// A machine, and what came out of it.
    private struct Scene {
        var machine: LinkMachine
        var now = LinkMachineTests.second
        var actions: [LinkMachine.Action] = []

        init(_ settings: String = "redis: \"redis://localhost\"") throws {
            self.machine = LinkMachine(try .reading(settings), RedisLimits(), LinkTimes(), name: "a")
        }

        /// What came out since the last call.
        mutating func take() -> [LinkMachine.Action] {
            defer { self.actions = [] }
            return self.actions
        }

        mutating func say(_ text: String, _ side: LinkMachine.Side) {
            self.actions += self.machine.received(Array(text.utf8).span, on: side, at: self.now)
        }

        /// Up to `linkUp`, and the channel for probes.
        mutating func open() {
            self.actions += self.machine.start(at: self.now)
            for side in LinkMachine.Side.allCases {
                self.actions += self.machine.connected(side)
                self.say(hello, side)
            }
            self.confirm("gateway:probe:a")
            self.actions = []
        }

        mutating func confirm(_ channel: String) {
            self.say(">3\r\n$9\r\nsubscribe\r\n$\(channel.utf8.count)\r\n\(channel)\r\n:1\r\n", .subscriptions)
        }

        mutating func ask(_ id: Int, _ request: RedisRequest = .command(RedisCommand("DEL", "a"))) {
            self.actions += self.machine.ask(id, request, at: self.now)
        }

        mutating func wait(_ duration: Duration) {
            self.now = self.now + duration
            self.actions += self.machine.timerFired(at: self.now)
        }
    }

    private static func command(_ words: String..., side: LinkMachine.Side) -> LinkMachine.Action {
        .send(RedisCommand(words.map { Array($0.utf8) }).bytes, side)
    }

    @Test func `a link is up when both sides have greeted, and subscribes then`() throws {
        var scene = try Scene()
        scene.actions += scene.machine.start(at: scene.now)
        #expect(scene.take() == [.connect])
        scene.actions += scene.machine.connected(.commands)
        #expect(scene.take() == [Self.command("HELLO", "3", "SETNAME", "gateway", side: .commands)])
        scene.say(hello, .commands)
        #expect(scene.take() == [])
        #expect(!scene.machine.isUp)
        scene.actions += scene.machine.connected(.subscriptions)
        scene.say(hello, .subscriptions)
        #expect(
            scene.take() == [
                Self.command("HELLO", "3", "SETNAME", "gateway", side: .subscriptions), .linkUp,
                Self.command("subscribe", "gateway:probe:a", side: .subscriptions),
            ])
        #expect(scene.machine.isUp)
    }

    @Test func `user, password and database are a part of the greeting`() throws {
        var scene = try Scene("redis: \"redis://localhost/3\", user: ann, password: secret")
        scene.actions += scene.machine.start(at: scene.now)
        scene.actions += scene.machine.connected(.commands)
        #expect(
            scene.take().last
                == Self.command("HELLO", "3", "AUTH", "ann", "secret", "SETNAME", "gateway", side: .commands))
        scene.say(hello, .commands)
        #expect(scene.take() == [Self.command("SELECT", "3", side: .commands)])
    }

    @Test func `an old server gets AUTH, and speaks RESP2`() throws {
        var scene = try Scene("redis: \"redis://localhost\", password: secret")
        scene.actions += scene.machine.start(at: scene.now)
        for side in LinkMachine.Side.allCases {
            scene.actions += scene.machine.connected(side)
            _ = scene.take()
            scene.say(
                "-ERR unknown command `HELLO`, with args beginning with: `3`, `AUTH`, `default`, `secret`, \r\n", side)
            #expect(scene.take() == [Self.command("AUTH", "secret", side: side)])
            scene.say("+OK\r\n", side)
        }
        #expect(scene.take().first == .linkUp)
        scene.actions += scene.machine.subscribe(to: .init("room"), at: scene.now)
        scene.say("*3\r\n$9\r\nsubscribe\r\n$15\r\ngateway:probe:a\r\n:1\r\n", .subscriptions)
        scene.say(
            "*3\r\n$9\r\nsubscribe\r\n$4\r\nroom\r\n:2\r\n*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n$2\r\nhi\r\n",
            .subscriptions)
        #expect(scene.take().suffix(2) == [.subscribed(.init("room")), .message(.init("room"), payload: .init("hi"))])
    }

    /// No password, and nothing that a server may have copied from a command.
    @Test(arguments: [
        ("-WRONGPASS invalid username-password pair secret\r\n", "it refuses user `ann` or its password (WRONGPASS)"),
        ("-NOAUTH secret\r\n", "it demands a password (NOAUTH)"),
        ("-ERR Syntax error in HELLO option 'secret'\r\n", "it refuses the greeting (ERR)"),
        ("-secret\r\n", "it refuses the greeting (ERR)"),
        ("+OK\r\n", "it sent something that is no answer to a greeting"),
        ("%2\r\n+role\r\n+replica\r\n+mode\r\n+standalone\r\n", "it is a replica, which cannot be written to"),
        ("%1\r\n+mode\r\n+cluster\r\n", "it runs in the mode `cluster`: a single server is needed"),
        ("HTTP/1.1 400\r\n", "it sent a value of an unknown type (byte 72)"),
    ])
    func `a greeting that fails says why, and nothing secret`(answer: String, reason: String) throws {
        var scene = try Scene("redis: \"redis://localhost\", user: ann, password: secret")
        scene.actions += scene.machine.start(at: scene.now)
        scene.actions += scene.machine.connected(.commands)
        _ = scene.take()
        scene.say(answer, .commands)
        #expect(scene.take() == [.disconnect, .linkDown(reason)])
    }

    @Test func `answers come in the order of the commands`() throws {
        var scene = try Scene()
        scene.open()
        for id in 1...3 { scene.ask(id) }
        #expect(scene.take().count == 3)
        scene.say(":1\r\n-OOM no memory\r\n:3\r\n", .commands)
        #expect(
            scene.take() == [
                .answer(1, .success(.integer(1))), .answer(2, .failure(.refused("OOM no memory"))),
                .answer(3, .success(.integer(3))),
            ])
    }

    @Test func `what is in flight when the link ends is unknown, and what comes then is not sent`() throws {
        var scene = try Scene()
        scene.open()
        scene.ask(1)
        _ = scene.take()
        scene.actions += scene.machine.failed("gone", at: scene.now)
        #expect(scene.take() == [.disconnect, .answer(1, .failure(.unknown("gone"))), .linkDown("gone")])
        scene.ask(2)
        #expect(scene.take() == [.answer(2, .failure(.away))])
    }

    @Test func `pauses double up to two seconds, and are short again after a link that was up`() throws {
        var scene = try Scene()
        scene.actions += scene.machine.start(at: scene.now)
        for pause in [100, 200, 400, 800, 1600, 2000, 2000] {
            scene.actions = []
            scene.actions += scene.machine.failed("refused", at: scene.now)
            #expect(scene.machine.due - scene.now == .milliseconds(pause))
            scene.wait(.milliseconds(pause - 1))
            #expect(scene.take() == [.disconnect, .linkDown("refused")])
            scene.wait(.milliseconds(1))
            #expect(scene.take() == [.connect])
        }
        for side in LinkMachine.Side.allCases {
            _ = scene.machine.connected(side)
            scene.say(hello, side)
        }
        scene.confirm("gateway:probe:a")
        scene.now = scene.now + .seconds(2)
        scene.actions += scene.machine.failed("gone", at: scene.now)
        #expect(scene.machine.due - scene.now == .milliseconds(100))
    }

    @Test func `a command without an answer ends the link`() throws {
        var scene = try Scene()
        scene.open()
        scene.ask(1)
        _ = scene.take()
        scene.wait(.seconds(5))
        #expect(
            scene.take() == [
                .disconnect, .answer(1, .failure(.unknown("no answer within 5s"))), .linkDown("no answer within 5s"),
            ])
    }

    @Test func `a link that does not come up in time begins anew`() throws {
        var scene = try Scene()
        scene.actions += scene.machine.start(at: scene.now)
        _ = scene.machine.connected(.commands)
        _ = scene.take()
        scene.wait(.seconds(5))
        #expect(scene.take() == [.disconnect, .linkDown("no link within 5s")])
    }

    @Test func `after a silence something is published, and if it does not arrive the link ends`() throws {
        var scene = try Scene()
        scene.open()
        let probe = Self.command("PUBLISH", "gateway:probe:a", "", side: .commands)
        scene.wait(.seconds(10))
        #expect(scene.take() == [probe])
        scene.say(":1\r\n", .commands)
        scene.say(">3\r\n+message\r\n+gateway:probe:a\r\n$0\r\n\r\n", .subscriptions)
        #expect(scene.take() == [])
        #expect(scene.machine.due - scene.now == .seconds(10))
        scene.wait(.seconds(10))
        #expect(scene.take() == [probe])
        scene.say(":0\r\n", .commands)
        scene.wait(.seconds(10))
        #expect(scene.take() == [.disconnect, .linkDown("what is published does not arrive")])
    }

    @Test func `a replica ends the link, also where an old server says so in the middle of its words`() throws {
        for words in [
            "READONLY You can't write against a read only replica.",
            "ERR Error running script (call to f_1): @user_script:9: -READONLY You can't write against a read only replica.",
        ] {
            var scene = try Scene()
            scene.open()
            scene.ask(1)
            scene.ask(2)
            _ = scene.take()
            scene.say("-\(words)\r\n", .commands)
            #expect(
                scene.take() == [
                    .answer(1, .failure(.refused(words))), .disconnect, .answer(2, .failure(.unknown(words))),
                    .linkDown(words),
                ])
        }
    }

    @Test func `a forgotten script is sent again in its place, before what came later`() throws {
        var scene = try Scene()
        scene.open()
        func script(_ word: String) -> RedisRequest { .script(.recover, keys: [], arguments: [Array(word.utf8)]) }
        func sent(_ word: String, byDigest: Bool) -> LinkMachine.Action {
            .send(script(word).command(scriptIsKnown: byDigest).bytes, .commands)
        }
        scene.ask(1, script("a"))
        scene.ask(2, script("b"))
        #expect(scene.take() == [sent("a", byDigest: false), sent("b", byDigest: true)])
        scene.say(":1\r\n:2\r\n", .commands)
        _ = scene.take()
        scene.ask(3, script("c"))
        scene.ask(4, script("d"))
        #expect(scene.take() == [sent("c", byDigest: true), sent("d", byDigest: true)])
        scene.say("-NOSCRIPT No matching script.\r\n", .commands)
        scene.ask(5, script("e"))
        #expect(scene.take() == [])
        scene.say("-NOSCRIPT No matching script.\r\n", .commands)
        #expect(
            scene.take() == [sent("c", byDigest: false), sent("d", byDigest: true), sent("e", byDigest: true)])
        scene.say(":3\r\n:4\r\n:5\r\n", .commands)
        #expect(scene.take() == (3...5).map { .answer($0, .success(.integer(Int64($0)))) })
        // A server that does not take the text either has refused it.
        scene.ask(6, script("f"))
        scene.say("-NOSCRIPT No matching script.\r\n", .commands)
        scene.say("-NOSCRIPT No matching script.\r\n", .commands)
        #expect(scene.take().last == .answer(6, .failure(.refused("NOSCRIPT No matching script."))))
    }

    @Test func `too many commands without an answer are refused`() throws {
        var scene = try Scene()
        scene.open()
        let large = RedisRequest.command(RedisCommand([[UInt8](repeating: 0, count: CommandQueue.mostBytes)]))
        scene.ask(1, large)
        _ = scene.take()
        scene.ask(2)
        #expect(scene.take() == [.answer(2, .failure(.busy))])
        scene.say(":1\r\n", .commands)
        _ = scene.take()
        for id in 1...CommandQueue.most { scene.ask(id) }
        _ = scene.take()
        scene.ask(0)
        #expect(scene.take() == [.answer(0, .failure(.busy))])
    }

    @Test(arguments: [
        (LinkMachine.Side.commands, ":1\r\n", "it sent an answer without a command"),
        (.subscriptions, ":1\r\n", "it sent something that is no message"),
        (.subscriptions, ">1\r\n+message\r\n", "it sent a message of another form"),
        (.subscriptions, ">3\r\n+message\r\n:1\r\n+a\r\n", "it sent a message of another form"),
        (.subscriptions, ">3\r\n+message\r\n+a\r\n:1\r\n", "it sent a message without a payload"),
        (.subscriptions, ">3\r\n+subscribe\r\n+a\r\n:1\r\n", "it sent a confirmation that was not asked for"),
        (
            .subscriptions, ">3\r\n+unsubscribe\r\n+gateway:probe:a\r\n:1\r\n",
            "it sent a confirmation that was not asked for"
        ),
        (.subscriptions, "-NOPERM no\r\n", "it refuses a subscription: NOPERM no"),
        (.subscriptions, "*99999999\r\n", "it sent a list of 99999999 values, more than 131072"),
    ])
    func `what cannot be right ends the link`(side: LinkMachine.Side, text: String, reason: String) throws {
        var scene = try Scene()
        scene.open()
        scene.say(text, side)
        #expect(scene.take() == [.disconnect, .linkDown(reason)])
    }

    @Test func `a push on the side of commands is passed over`() throws {
        var scene = try Scene()
        scene.open()
        scene.ask(1)
        _ = scene.take()
        scene.say(">2\r\n+invalidate\r\n_\r\n:1\r\n", .commands)
        #expect(scene.take() == [.answer(1, .success(.integer(1)))])
    }

    @Test func `nothing happens any more after the stop`() throws {
        var scene = try Scene()
        scene.open()
        scene.ask(1)
        _ = scene.take()
        scene.actions += scene.machine.stop()
        #expect(scene.take() == [.disconnect, .answer(1, .failure(.unknown("the link was closed")))])
        scene.wait(.seconds(100))
        scene.actions += scene.machine.failed("late", at: scene.now)
        #expect(scene.take() == [])
        #expect(scene.machine.due == .never)
    }
}

private let hello = "%3\r\n+server\r\n+redis\r\n+mode\r\n+standalone\r\n+role\r\n+master\r\n"
