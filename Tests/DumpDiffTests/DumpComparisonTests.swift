import DumpDiff
// What this does not show: that the styles equal every dump (ProgramTests runs `compare --golden` over all of them).
import Dumps
import Foundation
import Lowering
import Manifests
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

/// The dump of one real node, changed or not, and what the style would write there.
struct DumpedNode {
  var tables: [String]
  var sets: [String]
  let expected: Ruleset
  private let traces: Traces

  init(_ name: String, _ version: String = "") throws {
    let golden = try GoldenCase.of(name, version)
    let lines = { (file: String) in try golden.text(file).split(separator: "\n").map(String.init) }
    tables = try lines("iptables-save.txt")
    sets = try lines("ipset-save.txt")
    let cluster = try golden.cluster()
    var view = NodeView(of: try #require(cluster.node("node1")), in: cluster)
    view.families = [.v4]
    expected = golden.style.lower(view).ruleset
    traces = golden.style.traces(on: view)
  }

  func compared(namesHold: Bool = false) throws -> DumpComparison {
    let iptables = try readIptablesSave(tables.joined(separator: "\n"), family: .v4, file: "v4")
    let ipset = try readIpsetSave(sets.joined(separator: "\n"), file: "sets")
    return try DumpComparison(NodeRules([iptables], ipset), expected: expected, traces: traces, namesHold: namesHold)
  }

  /// Lines that belong to kube-router's policy controller. Only some, if there are many.
  var ruleLines: [Int] { sample(allRuleLines) }
  var setLines: [Int] { sample(Array(sets.indices)) }
  private func sample(_ lines: [Int]) -> [Int] {
    stride(from: 0, to: lines.count, by: max(1, lines.count / 40)).map { lines[$0] }
  }

  var allRuleLines: [Int] {
    tables.indices.filter { index in
      tables[index].hasPrefix("-A KUBE-ROUTER-") || tables[index].hasPrefix("-A KUBE-NWPLCY-")
        || tables[index].hasPrefix("-A KUBE-POD-FW-") || tables[index].contains("kube-router netpol")
        || tables[index].contains("KUBE-ROUTER rule")
    }
  }

  func chain(_ line: Int) -> Substring { tables[line].split(separator: " ")[1] }
}

@Suite("A node's dump compared with the style's rules") struct DumpComparisonTests {
  static let cases = ["named-port", "icn-sketch", "ipblock-except", "deny-all", "no-target-and-twin-policies"]

  @Test("a different element of a keyed set is reported as nft lists it") func keyedElement() throws {
    let cluster = try GoldenCase.of("icn-sketch", "").cluster()
    let view = NodeView(of: try #require(cluster.node("node1")), in: cluster)
    let expected = EnforcementStyle.compiled.lower(view).ruleset
    var changed = expected
    let map = try #require(changed.keyedSets.firstIndex { $0.isMap && $0.fields == [.address] })
    var element = try #require(changed.keyedSets[map].elements.first)
    element.key = [IPAddress(v4: 0x0a2a_00fe).bits]
    element.value = .mark(0x892d_1996)
    changed.keyedSets[map].elements[0] = element
    let dump = NodeRules(try readNftList(try nftText(changed), file: "dump"))
    let comparison = try DumpComparison(
      dump, expected: expected, traces: EnforcementStyle.compiled.traces(on: view), namesHold: false)
    #expect(comparison.differences.flatMap(\.lines).contains(.onlyOnNode("10.42.0.254 : 0x892d1996")))
  }

  @Test("chains are matched although the time of the sync is unknown", arguments: cases)
  func equal(name: String) throws {
    let node = try DumpedNode(name)
    #expect(try node.compared().differences == [])
    #expect(try !node.compared(namesHold: true).differences.isEmpty, "the view's time stamp differs from the dump's")
  }

  @Test("every missing rule, chain, set and member is noticed", arguments: cases)
  func lost(name: String) throws {
    let node = try DumpedNode(name)
    for line in node.ruleLines {
      var changed = node
      changed.tables.remove(at: line)
      #expect(try !changed.compared().differences.isEmpty, "\(node.tables[line])")
    }
    for line in node.setLines {
      var changed = node
      let removed = changed.sets.remove(at: line)
      if removed.hasPrefix("create") {
        let name = removed.split(separator: " ")[1]
        changed.sets.removeAll { $0.hasPrefix("add \(name) ") }
      }
      #expect(try !changed.compared().differences.isEmpty, "\(removed)")
    }
  }

  @Test("a rule that appears twice or has a different text is noticed", arguments: cases)
  func changed(name: String) throws {
    let node = try DumpedNode(name)
    for line in node.ruleLines {
      var doubled = node
      doubled.tables.insert(node.tables[line], at: line)
      #expect(try !doubled.compared().differences.isEmpty, "\(node.tables[line])")
      // A changed comment. The rule that clears a pod's mark has none.
      guard let start = node.tables[line].range(of: "--comment \"") else { continue }
      var renamed = node
      renamed.tables[line].insert("x", at: start.upperBound)
      #expect(try !renamed.compared().differences.isEmpty, "\(node.tables[line])")
    }
  }

  @Test("two swapped neighbouring rules are noticed unless their order is left to chance", arguments: cases)
  func swapped(name: String) throws {
    let node = try DumpedNode(name)
    let all = Set(node.allRuleLines)
    for line in node.ruleLines where all.contains(line + 1) {
      let pair = [node.tables[line], node.tables[line + 1]]
      guard node.chain(line) == node.chain(line + 1), pair[0] != pair[1] else { continue }
      let jumps = pair.map { text in
        ["-j KUBE-POD-FW-", "-j KUBE-NWPLCY-"].contains { text.contains($0) } && !text.contains("-j KUBE-NWPLCY-COMMON")
          && !text.contains("-j KUBE-NWPLCY-DEFAULT")
      }
      let samePod = pair[0].split(separator: " ").last == pair[1].split(separator: " ").last
      if jumps == [true, true], !samePod { continue }
      var changed = node
      changed.tables.swapAt(line, line + 1)
      #expect(try !changed.compared().differences.isEmpty, "\(pair)")
    }
  }

  @Test("pods and policy jumps may be in any order")
  func anyOrder() throws {
    var node = try DumpedNode("icn-sketch")
    let isTop = { (line: String) in
      line.hasPrefix("-A KUBE-ROUTER-") && line.contains("-j KUBE-POD-FW-")
    }
    for hook in ["INPUT", "FORWARD", "OUTPUT"] {
      let lines = node.tables.indices.filter {
        isTop(node.tables[$0]) && node.tables[$0].hasPrefix("-A KUBE-ROUTER-\(hook)")
      }
      let first = try #require(lines.first)
      var groups: [[String]] = []
      for line in lines {
        let target = node.tables[line].split(separator: " ").last
        if groups.last?.first?.split(separator: " ").last == target {
          groups[groups.count - 1].append(node.tables[line])
        } else {
          groups.append([node.tables[line]])
        }
      }
      #expect(groups.count > 2)
      node.tables.replaceSubrange(first..<first + lines.count, with: groups.reversed().flatMap { $0 })
    }
    #expect(try node.compared().differences == [])
  }

  @Test("rules and sets of other programs are counted and not compared")
  func foreign() throws {
    let node = try DumpedNode("foreign-rules-accept")
    let comparison = try node.compared()
    #expect(comparison.differences == [])
    #expect(comparison.foreign.chains == 3)
    #expect(comparison.foreign.rules == 9)
    #expect(comparison.notes == [], "the explicit ACCEPT is where the first sync puts it")
    var more = node
    more.sets.append("create blocklist hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12")
    more.sets.append("create weird hash:ip,port family inet hashsize 1024 maxelem 65536 bucketsize 12")
    #expect(try more.compared().foreign.sets == 2)
  }

  @Test("an explicit ACCEPT in another place is a note, and a jump that is not first is a difference")
  func places() throws {
    var node = try DumpedNode("foreign-rules-accept")
    let accept = try #require(
      node.tables.firstIndex { $0.hasPrefix("-A FORWARD") && $0.contains("KUBE-ROUTER rule") })
    let jump = try #require(node.tables.firstIndex { $0.hasPrefix("-A FORWARD") })
    node.tables.insert("-A FORWARD -p tcp -m tcp --dport 25 -j REJECT --reject-with icmp-port-unreachable", at: accept)
    let moved = try node.compared()
    #expect(moved.differences == [])
    #expect(moved.notes.contains { $0.contains("another program comes before the explicit ACCEPT") })
    #expect(moved.notes.contains { $0.contains("rule 5. A first sync today would put it after") })
    node.tables.insert("-A FORWARD -m comment --comment host -j DROP", at: jump)
    #expect(try node.compared().differences.map(\.problem) == ["has rules of other programs before kube-router's jump"])
  }

  @Test("a difference names the policy, its rule and its place in the manifest")
  func readable() throws {
    var node = try DumpedNode("named-port")
    let line = try #require(node.tables.firstIndex { $0.contains("--dport 8081 -j MARK") })
    node.tables.remove(at: line)
    let difference = try #require(try node.compared().differences.first)
    #expect(difference.subject.contains(" of policy app/p (filter, IPv4)"))
    guard case .onlyExpected(let text, let origin?)? = difference.lines.first else {
      Issue.record("no expected line: \(difference)")
      return
    }
    #expect(text.contains("--dport 8081"))
    #expect(describe(origin) == "policy app/p, ingress rule 1, named port http")
    #expect(origin.location?.file == "manifests.yaml")
  }

  @Test(
    "every missing line of an nft dump is noticed", arguments: ["named-port", "ipblock-except", "dual-stack-all"])
  func lostNft(name: String) throws {
    let golden = try GoldenCase.of(name, "v2.11.1-nft")
    let cluster = try golden.cluster()
    var view = NodeView(of: try #require(cluster.node("node1")), in: cluster)
    view.serviceCIDRs = ["10.43.0.0/16", "fd00:43::/112"].compactMap { CIDR($0) }
    let lines = try golden.text("ruleset.nft").split(separator: "\n", omittingEmptySubsequences: false)
    let compared = { (lines: [Substring]) in
      let node = NodeRules(try readNftList(lines.joined(separator: "\n"), file: "ruleset.nft"))
      let traces = golden.style.traces(on: view)
      view.families = node.families(traces)
      return try DumpComparison(node, expected: golden.style.lower(view).ruleset, traces: traces, namesHold: false)
    }
    #expect(try compared(lines).differences == [])
    for index in lines.indices {
      let line = lines[index].drop { $0 == "\t" || $0 == " " }
      let isRule = ["jump ", "return", "accept", "drop", "reject", "meta mark set", "log "].contains {
        line.contains($0)
      }
      let isInKubeRouter = lines[..<index].last { $0.hasPrefix("table ") }?.contains("kube-router-filter") == true
      guard isInKubeRouter, isRule, index % 3 == 0, !line.hasPrefix("type "), !line.hasPrefix("comment ") else {
        continue
      }
      var changed = lines
      changed.remove(at: index)
      #expect(try !compared(changed).differences.isEmpty, "\(line)")
    }
  }

  @Test("a table that is missing from the dump is a difference")
  func noTable() throws {
    var node = try DumpedNode("deny-all")
    node.tables = ["*nat", ":PREROUTING ACCEPT [0:0]", "COMMIT"]
    #expect(try node.compared().differences.map(\.problem) == ["is not on the node"])
  }
}
