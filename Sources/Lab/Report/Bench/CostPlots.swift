internal import Algorithms
internal import Bench
internal import Documents
internal import NetpolModel
internal import Text

extension PacketBenchReport {
  /// Cost by number of pods, with a line for each style. There is a plot for each probe and each number of peers that
  /// was measured with several numbers of pods, and as many policies as pods.
  var plots: [Plot] {
    let square = rows.filter { $0.world.pods == $0.world.policies && $0.rules != BenchRules.none.name }
    return square.map(CostPlot.init).uniqued().compactMap { key -> Plot? in
      let own = square.filter { CostPlot($0) == key }
      guard Set(own.map(\.world.pods)).count > 1 else { return nil }
      let plot = LogPlot(
        title: key.title, horizontal: "pods on the node, each with a policy of its own",
        vertical: "additional ns per packet compared with no rules",
        series: own.map(\.rules).uniqued().map { name in
          (name, own.filter { $0.rules == name }.map { .init(x: Double($0.world.pods), y: $0.overNothing) })
        })
      return .lines(plot, name: key.fileName)
    }
  }
}

/// Identifies the plot that shows the cost of a row.
private struct CostPlot: Hashable {
  let probe: BenchProbe
  let peers: Int
  let kind: BenchWorld.PeerKind
  let family: IPFamily
  init(_ row: PacketBenchReport.Row) {
    (probe, peers, kind, family) = (row.probe, row.world.peers, row.world.peerKind, row.world.family)
  }
  var title: String {
    let peers = "\(counted(peers, kind == .pods ? "peer" : "block")) a policy"
    return "\(probe.name), \(peers)\(family == .v6 ? ", IPv6" : "")"
  }
  var fileName: String {
    let words = probe.name.split { !$0.isLetter && !$0.isNumber }.joined(separator: "-")
    return "\(words)-\(peers)-\(kind == .pods ? "peers" : "blocks")\(family == .v6 ? "-ipv6" : "")"
  }
}
