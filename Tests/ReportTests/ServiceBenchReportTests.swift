// Not covered: whether figures are right. The reports are made by hand.
import Bench
import Documents
import Foundation
import Report
import Statistics
import Testing

@Suite("Bench of kube-proxy's modes: report") struct ServiceBenchReportTests {
  private let report = HandMadeBench.services()

  @Test("there is a row for every number of Services, every kind of packet and every ruleset") func rows() throws {
    #expect(report.rows.count == 2 * 2 * 4 && report.verdicts.count == 4)
    let row = try #require(
      report.rows.first {
        $0.world == HandMadeBench.services[1] && $0.probe == HandMadeBench.serviceProbes[0] && $0.rules == "iptables"
      })
    #expect(abs(row.overNothing.value - 20_000) < 2 && abs(row.overNat.value - 19_500) < 2)
    #expect(abs((row.timesNftables?.value ?? 0) - 20) < 0.1)
    #expect(report.rows.allSatisfy { ($0.timesNftables != nil) == ($0.rules == "iptables") })
    #expect(report.verdicts.allSatisfy { $0.standing == .cheapest("nftables") })
    #expect(report.document.csv.split(separator: "\n").count == report.rows.count + 1)
  }

  @Test(
    "growth is that of the cost over no rules",
    arguments: [
      ("iptables", 0, 10.0), ("nftables", 0, 1), ("iptables", 1, 2), ("nftables", 1, 1),
    ])
  func growth(_ rules: String, _ probe: Int, _ times: Double) throws {
    #expect(report.growths.count == 4)
    let growth = try #require(
      report.growths.first { $0.rules == rules && $0.probe == HandMadeBench.serviceProbes[probe] })
    #expect(abs(growth.times.value - times) < 0.05)
    #expect(growth.from.services == 10 && growth.to.services == 100)
  }

  @Test("figures are called too noisy if two measurements of the same rules differ") func noise() throws {
    #expect(report.noise == nil && report.resolutions.count == 6)
    #expect(report.resolutions.count { $0.pair == .otherNamespace } == 2)
    let noisy = HandMadeBench.services(pair: 50)
    #expect(noisy.noise?.contains("ClusterIP of last Service, 10 Services") == true)
    #expect(noisy.document.text().contains("Too noisy"))
  }

  @Test("text has a table for each kind of packet, the growth, the syncs, and what was not measured") func text() {
    let text = report.document.text()
    for part in [
      "ClusterIP of last Service:", "NodePort of any Service:", "from 10 to 100 Services", "cheapest: nftables",
      "iptables: iptables-restore --noflush", "nftables: nft -f", "median of 7 rounds", "Resolution:",
    ] {
      #expect(text.contains(part), "\(part)")
    }
    #expect(!text.contains("Interrupted"))
    let early = HandMadeBench.services(hasSyncs: false)
    #expect(early.document.text().contains("all packets, and all syncs of 0 of 2"))
    #expect(!early.document.text().contains("one endpoint to one Service"))
  }

  @Test("plots show cost and time over the number of Services, with a line for each mode") func plots() throws {
    let files = DocumentPictures(report.document).files
    #expect(
      files.map(\.name) == [
        "first-packet-clusterip-last-services.svg", "first-packet-nodeport-any-services.svg",
        "sync-all-services.svg", "sync-one-endpoint-services.svg",
      ])
    for name in ["conntrack and nat only", "iptables", "nftables"] {
      #expect(files[0].svg.contains(">\(name)</text>"), "\(name)")
    }
    #expect(files[2].svg.contains(">nftables, netlink</text>"))
    #expect(DocumentPictures(HandMadeBench.services(hasSyncs: false).document).files.count == 2)
  }
}
