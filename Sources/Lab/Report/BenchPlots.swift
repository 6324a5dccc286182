public import Bench
internal import NetpolModel
internal import Text

/// A packet bench as pictures: cost over pods, a line for each style.
public enum BenchPlots {
  /// File names and their contents: one for each probe and each number of peers that was measured with several numbers of
  /// pods, as many policies as pods.
  public static func files(_ report: PacketBenchReport) -> [(name: String, svg: String)] {
    var seen: Set<Key> = []
    let square = report.rows.filter { $0.world.pods == $0.world.policies && $0.rules != BenchRules.none.name }
    return square.compactMap { row -> (name: String, svg: String)? in
      let key = Key(row)
      guard seen.insert(key).inserted else { return nil }
      let own = square.filter { Key($0) == key }
      guard Set(own.map(\.world.pods)).count > 1 else { return nil }
      var names: [String] = []
      for row in own where !names.contains(row.rules) { names.append(row.rules) }
      let plot = LogPlot(
        title: key.title, horizontal: "pods on the node, each with a policy of its own",
        vertical: "ns that a packet costs more than without rules",
        series: names.map { name in
          (name, own.filter { $0.rules == name }.map { .init(x: Double($0.world.pods), y: $0.overNothing) })
        })
      return ("\(key.fileName).svg", plot.svg)
    }
  }

  private struct Key: Hashable {
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
}
