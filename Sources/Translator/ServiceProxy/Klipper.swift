public import NetpolModel
public import RuleIR

/// The tables that klipper-lb writes in the network namespace of a pod of k3s's servicelb (its `entry` script), for each
/// family. It puts most rules in front, so what is written last comes first.
public func klipperTables(_ forwards: [PodForward], families: [IPFamily]) -> [Table] {
  families.flatMap { family in [klipperFilterTable(forwards, family), klipperNatTable(forwards, family)] }
}

/// Lets the source ranges through to the destinations, and nobody else.
private func klipperFilterTable(_ forwards: [PodForward], _ family: IPFamily) -> Table {
  let accepts = forwards.flatMap { forward -> [Rule] in
    let destination = Match.port(forward.port.transport, PortRange(forward.destinationPort))
    return forward.sourceRanges.filter { $0.family == family }.map { range in
      Rule((range.prefixLength == 0 ? [] : [.address(.source, range)]) + [destination], [.accept], role: .foreign)
    }
  }
  let drops = forwards.flatMap { forward in
    forward.destinations.filter { $0.family == family }.map { address in
      Rule(
        [
          .address(.destination, CIDR(address)),
          .port(forward.port.transport, PortRange(forward.destinationPort)),
        ], [.drop])
    }
  }
  return Table(
    name: "filter", family: family,
    chains: [
      .builtIn("INPUT", .input, []), .builtIn("FORWARD", .forward, accepts.reversed() + drops),
      .builtIn("OUTPUT", .output, []),
    ])
}

private func klipperNatTable(_ forwards: [PodForward], _ family: IPFamily) -> Table {
  let pairs = forwards.flatMap { forward in
    forward.destinations.filter { $0.family == family }.map { (forward: forward, address: $0) }
  }
  let translations = pairs.map { forward, address in
    Rule(
      [.port(forward.port.transport, PortRange(forward.port.port))],
      [.dnat(address, port: forward.destinationPort)])
  }
  let masquerades = pairs.map { forward, address in
    Rule(
      [.address(.destination, CIDR(address)), .transport(forward.port.transport)],
      [.masquerade(randomFully: false)])
  }
  return Table(
    name: "nat", family: family,
    chains: Chain.natBuiltIns(prerouting: translations.reversed(), postrouting: masquerades.reversed()))
}
