/// The help text.
enum Usage {
  static let text = """
    usage: swarm [OPTION]...
           swarm --merge FILE... [--json]

    Opens many connections, talks over each of them, checks every reply, and sums up. Without options
    it does so with an echo server of its own: 2,000 connections, 20 lines each.

    Where to
      --connect HOST:PORT    a server; [IPV6]:PORT, unix:PATH and unix:@NAME too

    How many, and how fast
      --connections N        open at once (2000)
      --messages N           over each connection (20; without end if there is a --duration)
      --duration TIME        no message is sent after so long
      --ramp N               connections opened a second (as fast as can be)
      --rate N               messages a second, over all connections together (each as its reply comes)
      --think TIME           between a reply and the next message (0)
      --timeout TIME         to connect, and for each reply (10s)
      --loops N              event loops that share the connections, each on a thread of its own (1)

    What is said
      --size BYTES           of each line (64)
      --send TEXT            the line instead; it goes out with CR LF. Escapes: \\n \\r \\t \\\\ \\xHH
      --expect TEXT          with what a reply has to begin, "any", or "echo": what was sent (echo)
      --until TEXT           the last line of a reply of several, "" for an empty one
      --greeting             the server speaks first, a line; the first message comes after it
      --hex                  bytes instead of lines: --send "01 ff", --expect "02" in hexadecimal

    What comes out
      --json                 the summary as JSON on standard output
      --merge FILE...        sums up such summaries, of several machines, as one
      --help                 this text

    Times are written 500ms, 10s, 2m, 1h. Progress goes to standard error. Ctrl-C sums up what has been
    done so far; a second one ends at once.

    Exit status: 0 every reply was right, 1 one was wrong or failed, 2 the command line cannot work,
    130 after Ctrl-C, 143 after SIGTERM.

    Examples
      swarm --connect localhost:6379 --send PING --expect +PONG
      swarm --connect localhost:80 --send 'HEAD / HTTP/1.1\\r\\nHost: x\\r\\n' --expect 'HTTP/1.1 200' --until ''
      swarm --connect [::1]:7000 --connections 10000 --rate 5000 --duration 10m --json > soak.json

    """

  /// How an option with a value is written.
  static func example(of option: String) -> String {
    switch option {
    case "--connect": "--connect localhost:6379"
    case "--duration", "--think", "--timeout": "\(option) 10s"
    case "--send": "--send PING"
    case "--expect": "--expect +PONG"
    case "--until": "--until END"
    default: "\(option) 100"
    }
  }
}
