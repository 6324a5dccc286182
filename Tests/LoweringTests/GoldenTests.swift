// What this does not show: where our rules are among those of other programs on the node, and what packets do.
import Foundation
import Lowering
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

@Suite("Styles compared with dumps of the real controllers") struct GoldenTests {
  @Test(
    "a style's rules equal the real dump: chains, rules, order, comments, sets and members",
    arguments: GoldenCase.all.filter { $0.style.backend == .iptables }) func equalsTheDump(
      golden: GoldenCase
    ) throws
  {
    let lowered = try golden.lowered()
    for family in IPFamily.allCases where family == .v4 || golden.has("ip6tables-save.txt") {
      let (real, ours) = try golden.dumps(lowered, family)
      let freedoms = Freedoms(lowered.ruleset, family)
      let (a, b) = (real.canonical(freedoms), ours.canonical(freedoms))
      #expect(difference(a, b).prefix(12).isEmpty)
      let isSame = a == b
      #expect(isSame, "also in number and order")
      #expect(Set(real.podOrders).count == 1, "the chains of the dump have the same order of pods")
    }
  }

  @Test(
    "a style's rules equal the real nft dump: tables, chains, rules, order, comments, sets and elements",
    arguments: GoldenCase.all.filter { $0.style.backend == .nftables })
  func equalsTheNftDump(golden: GoldenCase) throws {
    let lowered = try golden.lowered()
    var freedoms = Freedoms(lowered.ruleset, .v4)
    let v6 = Freedoms(lowered.ruleset, .v6)
    freedoms.namedRanges.merge(v6.namedRanges) { first, _ in first }
    let a = NftDump(try golden.text("ruleset.nft")).canonical(freedoms)
    let b = NftDump(try nftText(lowered.ruleset)).canonical(freedoms)
    #expect(difference(a, b).prefix(12).isEmpty)
    let isSame = a == b
    #expect(isSame, "also in number and order")
  }

  @Test("every folder in NETPOL_GOLDEN contains a case")
  func namedFolders() { #expect(GoldenCase.emptyFolders.isEmpty) }

  @Test("the ruleset of every case is well formed", arguments: GoldenCase.all) func wellFormed(golden: GoldenCase)
    throws
  {
    try golden.lowered().ruleset.checkWellFormed()
  }

  /// Changes that a real difference would cause. Each one must be noticed.
  static let mutations: [(String, @Sendable (inout Dump) -> Void)] = [
    (
      "two swapped rules",
      { dump in
        guard
          let chain = dump.chains.keys.sorted().first(where: {
            $0.hasPrefix("KUBE-NWPLCY-") && !$0.hasSuffix("COMMON") && dump.chains[$0]?.count ?? 0 > 2
          })
        else { return }
        dump.chains[chain]?.swapAt(0, 1)
      }
    ),
    ("swapped rules of COMMON", { $0.chains["KUBE-NWPLCY-COMMON"]?.swapAt(0, 1) }),
    ("a lost rule", { $0.chains["KUBE-ROUTER-FORWARD"]?.removeLast() }),
    (
      "a lost comment",
      { dump in
        dump.chains["KUBE-NWPLCY-DEFAULT"] = dump.chains["KUBE-NWPLCY-DEFAULT"]?.map {
          $0.replacingOccurrences(
            of: " -m comment --comment \"rule to mark traffic matching a network policy\"", with: "")
        }
      }
    ),
    (
      "a lost member",
      { dump in
        guard let name = dump.sets.filter({ !$0.value.members.isEmpty }).keys.sorted().first else { return }
        _ = dump.sets[name]?.members.popFirst()
      }
    ),
    ("a lost set", { dump in dump.sets.keys.sorted().first.map { dump.sets[$0] = nil } }),
    ("a lost chain", { $0.declarations.remove(":KUBE-NWPLCY-DEFAULT - ") }),
    (
      "a pod's jumps in another order",
      { dump in
        dump.chains["KUBE-ROUTER-FORWARD"]?.swapAt(0, 2)
      }
    ),
    (
      "rules of a pod chain in another order",
      { dump in
        guard let chain = dump.chains.keys.sorted().first(where: { $0.hasPrefix("KUBE-POD-FW-") }) else { return }
        dump.chains[chain]?.swapAt(0, 1)
      }
    ),
  ]

  @Test("a change to the dump is noticed", arguments: mutations.map(\.0)) func noticed(mutation: String) throws {
    let golden = try #require(GoldenCase.all.first { $0.testDescription == "golden/named-port" })
    let lowered = try golden.lowered()
    let freedoms = Freedoms(lowered.ruleset, .v4)
    var (real, ours) = try golden.dumps(lowered, .v4)
    let change = try #require(Self.mutations.first { $0.0 == mutation }).1
    change(&real)
    let isSame = real.canonical(freedoms) == ours.canonical(freedoms)
    #expect(!isSame)
    change(&ours)
    #expect(real.declarations == ours.declarations, "both sides have the same declarations")
  }
}
