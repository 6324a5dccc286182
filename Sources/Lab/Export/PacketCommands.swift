internal import Enforcement
internal import NetpolModel
internal import Path
internal import Run
internal import Verdicts

/// How a flow's packet is sent, and how its arrival is noticed.
struct PacketCommands {
  /// What sends and receives.
  private enum Way {
    /// Connects, and reads the receiver's name.
    case tcp(UInt16)
    /// Sends a datagram, and reads the receiver's name.
    case udp(UInt16)
    /// What nc doesn't know: a program of the script's own.
    case python(Python)
  }

  private enum Python {
    case echo
    /// The receiver notes that the packet came: there is no answer.
    case sctp(UInt16)
    case group(UInt16)
  }

  private struct Listener: Hashable {
    let machine: String
    let address: IPAddress
    let port: UInt16
  }

  private let way: Way
  private let flow: Flow
  private let sender: String
  private let listeners: [Listener]

  /// Throws `NotExportable` if the sender has no machine.
  init(_ world: SmallestWorld, _ names: MachineNames) throws(NotExportable) {
    flow = world.flow
    guard let sender = world.machine(of: flow.source) else {
      throw NotExportable("\(flow): the sender has no machine of its own")
    }
    self.sender = names[sender]
    switch flow.question {
    case .echo: way = .python(.echo)
    case .port(let port) where flow.destinationAddress.isMulticast: way = .python(.group(port.port))
    case .port(let port):
      switch port.transport {
      case .tcp: way = .tcp(port.port)
      case .udp: way = .udp(port.port)
      case .sctp: way = .python(.sctp(port.port))
      }
    }
    var found: [Listener] = []
    if flow.destinationAddress.isMulticast {
      if let machine = world.machine(of: flow.destination), let address = Self.joined(world) {
        found = [Listener(machine: names[machine], address: address, port: flow.port ?? 0)]
      }
    } else if flow.question != .echo {
      for end in world.listeners {
        guard let machine = world.machine(of: end.endpoint) else { continue }
        let listener = Listener(machine: names[machine], address: end.address, port: end.port)
        if !found.contains(listener) { found.append(listener) }
      }
    }
    listeners = found
  }

  /// The address on whose interface the receiver joins a group: a node listens on its bridge to what its pods send.
  private static func joined(_ world: SmallestWorld) -> IPAddress? {
    let address = world.topology.address(of: world.flow.destination, world.flow.family)
    guard let node = world.topology.hostNode(of: world.flow.destination), case .pod = world.flow.source else {
      return address
    }
    return node.bridge.first { $0.address.family == world.flow.family }?.address ?? address
  }

  var programs: [String] {
    switch way {
    case .tcp, .udp: ["nc", "ss", "timeout"]
    case .python: ["python3", "timeout"]
    }
  }

  var usesNetcat: Bool {
    switch way {
    case .tcp, .udp: true
    case .python: false
    }
  }

  /// What the packet is sent with, for the heading.
  var how: String? {
    switch way {
    case .tcp, .udp: nil
    case .python(.echo): "The echo request is sent by a program in Python, because not every machine has ping."
    case .python(.sctp):
      "The packet is sent by a program in Python: an INIT chunk. No kernel support of SCTP is needed."
    case .python(.group): "The datagram is sent and received by a program in Python, because nc joins no groups."
    }
  }

  /// The machine that shall answer, if the packet arrives there.
  func receiver(_ world: SmallestWorld, _ names: MachineNames) -> String? {
    guard flow.question != .echo, case .delivered(let endpoint)? = world.moments.last?.record.end else { return nil }
    return world.machine(of: endpoint).map { names[$0] }
  }

  /// Adds the function `ask`, which sends one packet and sets `answer` to the name of the machine that got it, or to
  /// nothing.
  func add(to script: inout ScriptText) {
    switch way {
    case .tcp(let port): addNetcat(port, isUDP: false, to: &script)
    case .udp(let port): addNetcat(port, isUDP: true, to: &script)
    case .python(let python): addPython(python, to: &script)
    }
  }

  private func addNetcat(_ port: UInt16, isUDP: Bool, to script: inout ScriptText) {
    script.add(
      """
      # Waits until a machine listens on a port.
      await() {
        for _ in {1..100}; do
          [ -z "$(ip netns exec "$1" ss -Hln\(isUDP ? "u" : "t") "sport = :$2")" ] || return 0
          sleep 0.05
        done
        cannot "nc doesn't listen in $1"
      }

      """)
    script.block("ask() {", "}") { script in
      script.comment("Whoever gets the packet answers with the name of its machine.")
      for listener in listeners {
        script.add(
          "printf '%s\\n' \(listener.machine) | timeout 20 ip netns exec \(listener.machine) "
            + "nc -n \(isUDP ? "-u" : "-N") -l \(listener.address) \(listener.port) >/dev/null 2>&1 &")
        script.add("started+=($!)")
      }
      for listener in listeners { script.add("await \(listener.machine) \(listener.port)") }
      let codePoint = flow.chosen?.codePoint ?? 0
      if codePoint > 0 { script.comment("The rules look at this field where kube-proxy's draw a random number.") }
      let field = codePoint > 0 ? " -T \(Int(codePoint) << 2)" : ""
      let to = "-n -w 2\(field) -s \(flow.sourceAddress) \(flow.destinationAddress) \(port)"
      script.add(
        isUDP
          ? "answer=$(echo hello | ip netns exec \(sender) nc -u \(to) 2>/dev/null) || true"
          : "answer=$(ip netns exec \(sender) nc -N \(to) </dev/null 2>/dev/null) || true")
      script.add("end_started")
    }
  }

  private func addPython(_ python: Python, to script: inout ScriptText) {
    script.block("ask() {", "}") { script in
      script.add("rm -f /run/arrived /run/ready")
      for listener in listeners {
        let arguments = "\(listener.machine) \(flow.destinationAddress) \(listener.address) \(listener.port)"
        script.add(
          "timeout 20 ip netns exec \(listener.machine) python3 -c \"$listening\" \(arguments) >/dev/null &")
        script.add("started+=($!)")
        script.add("for _ in {1..100}; do [ -e /run/ready ] || sleep 0.05; done")
        script.add("rm /run/ready")
      }
      let port = flow.port.map { " \($0)" } ?? ""
      script.add(
        "ip netns exec \(sender) python3 -c \"$sending\" \(flow.sourceAddress) \(flow.destinationAddress)\(port)"
          + " \(Int(flow.chosen?.codePoint ?? 0) << 2) || true")
      script.add("answer=$(cat /run/arrived 2>/dev/null) || true")
      script.add("end_started")
    }
    script.add("")
    switch python {
    case .echo: script.add("read -rd '' sending", input: Self.echo, orElse: "true")
    case .sctp:
      script.add("read -rd '' sending", input: Self.checksum + Self.initSender, orElse: "true")
      script.add("read -rd '' listening", input: Self.initReceiver, orElse: "true")
    case .group:
      script.add("read -rd '' sending", input: Self.groupSender, orElse: "true")
      script.add("read -rd '' listening", input: Self.groupReceiver, orElse: "true")
    }
  }

  private static let echo = """
    import os, select, socket, struct, sys
    source, destination, _ = sys.argv[1:]
    six = ":" in source
    raw = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, 58 if six else 1)
    raw.bind((source, 0))
    number = os.getpid() & 0xffff
    def packet(checksum):
        return struct.pack("!BBHHH", 128 if six else 8, 0, checksum, number, 1)
    total = sum(struct.unpack("!4H", packet(0)))
    total = (total & 0xffff) + (total >> 16)
    raw.sendto(packet(0xffff & ~total), (destination, 0))
    while select.select([raw], [], [], 2)[0]:
        got = raw.recv(2000)
        got = got if six else got[(got[0] & 15) * 4:]
        if got[:1] == (b"\\x81" if six else b"\\0") and got[4:6] == struct.pack("!H", number):
            open("/run/arrived", "w").write("an echo reply")
            break

    """

  private static let checksum = """
    import os, socket, struct, sys, time
    def crc32c(data):
        value = 0xffffffff
        for byte in data:
            value ^= byte
            for _ in range(8):
                value = value >> 1 ^ (0x82f63b78 if value & 1 else 0)
        return value ^ 0xffffffff

    """

  private static let initSender = """
    source, destination, port, field = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    six = ":" in source
    raw = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, 132)
    if field:
        raw.setsockopt(*((socket.IPPROTO_IPV6, 67) if six else (socket.IPPROTO_IP, socket.IP_TOS)), field)
    raw.bind((source, 0))
    own = 32768 + int.from_bytes(os.urandom(2), "big") % 28000
    chunk = struct.pack("!BBHIIHHI", 1, 0, 20, 1 + int.from_bytes(os.urandom(3), "big"), 1500, 1, 1, 1)
    head = struct.pack("!HHI", own, port, 0)
    packet = head + struct.pack("<I", crc32c(head + bytes(4) + chunk)) + chunk
    raw.sendto(packet, (destination, 0))
    end = time.monotonic() + 2
    while time.monotonic() < end and not os.path.exists("/run/arrived"):
        time.sleep(0.02)

    """

  private static let initReceiver = """
    import socket, struct, sys
    name, _, address, port = sys.argv[1:]
    six = ":" in address
    raw = socket.socket(socket.AF_INET6 if six else socket.AF_INET, socket.SOCK_RAW, 132)
    raw.bind((address, 0))
    open("/run/ready", "w")
    while True:
        got = raw.recv(2000)
        got = got if six else got[(got[0] & 15) * 4:]
        if got[2:4] == struct.pack("!H", int(port)) and got[12:13] == b"\\x01":
            open("/run/arrived", "w").write(name)

    """

  private static let groupSender = """
    import os, socket, sys, time
    source, group, port, _ = sys.argv[1:]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((source, 0))
    udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(source))
    udp.sendto(b"hello", (group, int(port)))
    end = time.monotonic() + 2
    while time.monotonic() < end and not os.path.exists("/run/arrived"):
        time.sleep(0.02)

    """

  private static let groupReceiver = """
    import socket, sys
    name, group, address, port = sys.argv[1:]
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((group, int(port)))
    udp.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(address))
    open("/run/ready", "w")
    udp.recv(2000)
    open("/run/arrived", "w").write(name)

    """
}
