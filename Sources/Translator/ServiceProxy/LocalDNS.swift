public import NetpolModel
public import RuleIR

/// The rules of NodeLocal DNS on a node (`initIptables` of kubernetes/dns, cmd/node-cache/app): queries to its addresses
/// and its answers are not tracked, so that no Service's rules translate them, and are let in and out.
///
/// It puts each rule in front, so they are listed in reverse.
public func localDNSTables(_ addresses: [IPAddress]) -> [Table] {
  IPFamily.allCases.flatMap { family -> [Table] in
    let own = addresses.filter { $0.family == family }
    return own.isEmpty ? [] : [localDNSRawTable(own, family), localDNSFilterTable(own, family)]
  }
}

private func localDNSRawTable(_ addresses: [IPAddress], _ family: IPFamily) -> Table {
  let skip = { (matches: [Match]) in Rule(matches, [.notrack], comment: "NodeLocal DNS Cache: skip conntrack") }
  let queries = { (address: IPAddress) in
    [Transport.tcp, .udp].map { skip([.address(.destination, CIDR(address)), .port($0, PortRange(53))]) }
  }
  let answers = { (address: IPAddress) in
    [Transport.tcp, .udp].map { skip([.address(.source, CIDR(address)), .sourcePort($0, PortRange(53))]) }
  }
  // The health check.
  let health = { (address: IPAddress) in
    [
      skip([.address(.destination, CIDR(address)), .port(.tcp, PortRange(8080))]),
      skip([.address(.source, CIDR(address)), .sourcePort(.tcp, PortRange(8080))]),
    ]
  }
  let base = { (hook: Hook) in Chain.Base(hook, priority: -300) }
  return Table(
    name: "raw", family: family,
    chains: [
      Chain(name: "PREROUTING", base: base(.prerouting), rules: addresses.flatMap(queries).reversed()),
      Chain(
        name: "OUTPUT", base: base(.output),
        rules: addresses.flatMap { answers($0) + queries($0) + health($0) }.reversed()),
    ])
}

private func localDNSFilterTable(_ addresses: [IPAddress], _ family: IPFamily) -> Table {
  let allow = { (matches: [Match]) in Rule(matches, [.accept], comment: "NodeLocal DNS Cache: allow DNS traffic") }
  let pairs = addresses.flatMap { address in [Transport.tcp, .udp].map { (CIDR(address), $0) } }
  return Table(
    name: "filter", family: family,
    chains: [
      .builtIn(
        "INPUT", .input, pairs.map { allow([.address(.destination, $0), .port($1, PortRange(53))]) }.reversed()),
      .builtIn("FORWARD", .forward, []),
      .builtIn(
        "OUTPUT", .output, pairs.map { allow([.address(.source, $0), .sourcePort($1, PortRange(53))]) }.reversed()),
    ])
}
