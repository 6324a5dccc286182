// Not covered: whether results are right. All of them are made by hand.
import Foundation
import NetpolModel
import Testing

@testable import Documents
@testable import Report

@Suite("Results as text, without namespaces") struct ReportTextTests {
  private func expect(_ document: Document, says parts: [String], width: Int = 100) {
    let text = document.text(width: width)
    for part in parts { #expect(text.contains(part), "\(part)\n--\n\(text)") }
    for line in text.split(separator: "\n") { #expect(line.count <= width, "\(line)") }
  }

  @Test("a run of all flows is shown as grids, with what was sent") func run() throws {
    expect(
      try HandMade.run().document,
      says: [
        HandMade.heading + "\n2 pods, 1 node, 0 external hosts, 1 policy\n\n",
        "Rows send, columns receive.   . allowed   X denied", "\n\nTCP 80 81\n", "app/client\n",
        "Oracle, evaluator and kernel: 0 disagreements", "\nBuilt in 0.01 s, rules loaded in 0.02 s.\n",
      ], width: 120)
  }

  @Test("a flow is shown with its reasons, and the line of its rule is not broken") func flow() throws {
    let text = try HandMade.run(from: "client").document.text(width: 60)
    #expect(text.contains("  oracle     "))
    #expect(text.contains("the destination is isolated"))
    let rules = text.split(separator: "\n").filter { $0.hasPrefix("             -") }
    #expect(rules.contains { $0.hasSuffix("-j REJECT --reject-with icmp-port-unreachable") }, "\(text)")
  }

  @Test("a flow whose packets differ is a disagreement") func failure() throws {
    let report = try HandMade.run(kernel: { _, verdict in verdict == .allow ? .silent(after: .seconds(1)) : .delivered }
    )
    expect(
      report.document,
      says: ["DISAGREEMENTS: ", "the kernel does not do what the evaluator computes", "! disagreement"],
      width: 220)
  }

  @Test("a lag run shows windows, a timeline, one trial, and its precision") func lag() throws {
    let text = try HandMade.lag().document.text()
    for part in [
      HandMade.heading + "\n2 policies, 3 pods, enforcer ",
      "\n\nRefused until the rules include the new pod (fail-closed):\n  app/new -> app/web UDP/53: app/let-in, podSelector\n",
      "\n      p50 50.0 ms [20.0 ms .. 90.0 ms]  p90 90.0 ms [70.0 ms .. ?]  p99 100 ms [90.0 ms .. ?]  max 100 ms\n",
      "\n      100 datagrams lost (p50), one every 50.0 us; error bar p50 100 us, max 100 us\n",
      "\n      2 trials without a result: nothing came\n",
      "Timeline from the start of the container:\n                    p50      p90      p99      max\n  rules loaded  20.0 ms",
      "\n  to app/web  x .\n               ^\n", "\nWindows of app/new -> app/web:\n",
      "\n  a connection: 1 of 2 pass\n", "\nResolution: error bars are p50 1.00 and p99 1.00 spacings",
      "\nAdvice: an init delay of 100 ms covers every measured window.", "\n\nNote: nothing of IPv6\n",
    ] { #expect(text.contains(part), "\(part)\n--\n\(text)") }
  }

  @Test("a bench of packets has a table for each world, a winner, and says that it was interrupted") func packets() {
    expect(
      HandMade.packets.document,
      says: [
        HandMade.heading, "a machine. 40 rounds in 3.00 s, CPU time of the sending thread, SCHED_FIFO.\n",
        """
            rules                           ns         95 %  over conntrack              times
            no rules (the packet itself)  1000  [990, 1010]
            one                             90     [89, 91]     45 [44, 46]  3.00 [2.00, 4.00]
            two                             30     [29, 31]     15 [14, 16]
            cheapest: two
        """, "\n\nInterrupted: the report covers 12 of 40 rounds.\n",
      ])
  }

  @Test("a bench of single rules has one table, in text and in CSV") func micro() {
    expect(
      HandMade.micro.document,
      says: [
        "rule, ns each  back end    ns      95 %\njump                nft  12.3  [11, 13]\n",
        "through an empty chain: 1000 ns [990, 1010].",
      ])
    #expect(
      HandMade.micro.document.csv == "rule,backend,each_ns,each_lower_ns,each_upper_ns\njump,nft,12.25,11.00,13.00\n")
  }

  @Test("the CSV of packets has three columns for an interval, empty if there is none") func csv() {
    let lines = HandMade.packets.document.csv.split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false)
    }
    #expect(lines[0].count == 20)
    #expect(lines[0].suffix(3) == ["times_reference", "times_reference_lower", "times_reference_upper"])
    #expect(lines[2].suffix(3) == ["3.00", "2.00", "4.00"])
    #expect(lines[3].suffix(3) == ["", "", ""])
  }

  @Test("applying rules: what was not measured is a dash in text, and absent in JSON") func apply() throws {
    expect(
      HandMade.apply.document,
      says: [
        "one: slow  4.00 ms  4.00 ms to 5.00 ms", "1 rule, 3 sets, 4 elements", "one       -  - to -", "Measured in",
      ])
    let row = try #require(HandMade.apply.document.csv.split(separator: "\n").last)
    #expect(row == "memory,one,rules of a node,MiB,0,,,,,,")
    let json = String(decoding: try HandMade.apply.document.json(), as: UTF8.self)
    #expect(json.contains(#"{"count":0,"p50Interval":[null,null],"rules":"one","section":"memory","#), "\(json)")
  }

  @Test("engines: text has rates, shares and memory, JSON and CSV have all digits") func engines() throws {
    expect(
      HandMade.engines.document,
      says: [
        "3 pods, 1 policy, 2 nodes, 12 different flows, one thread of a machine\n\n",
        "evaluator, one      2.00 M           -   25.0 %   750 ms   2 MiB         6          0",
        "evaluator, one: 1 flow evaluated one by one",
      ])
    #expect(
      HandMade.engines.document.csv.split(separator: "\n").last
        == "evaluator,one,12,0.25,2000000.0,6,0,,1,0.5,0.25,1048576,1048576")
    let json = String(decoding: try HandMade.engines.document.json(), as: UTF8.self)
    #expect(json.contains(#""kind":"engines""#) && json.contains(#""allowedShare":0.25"#))
    #expect(!json.contains("perSecondOneByOne"))
  }
}
