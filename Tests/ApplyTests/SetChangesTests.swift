import Apply
import Kernel
import NetpolModel
import Rendering
import RuleIR
import TestSupport
import Testing

// Not covered: what packets see while sets change.

@Suite("Changes to ipsets") struct SetChangesTests {
  private func set(_ name: String, _ kind: NamedSet.Kind, _ members: String..., except: String? = nil) throws
    -> NamedSet
  {
    let listed = try members.map { NamedSet.Member(try #require(CIDR($0))) }
    let exceptions = try except.map { [NamedSet.Member(try #require(CIDR($0)), nomatch: true)] } ?? []
    return NamedSet(
      name: name, family: listed.first?.cidr.family ?? .v4, kind: kind, members: (listed + exceptions).sorted())
  }

  @Test(
    "each change leaves the sets of its target, whatever they were before", .needsNamespaces)
  func follow() throws {
    let targets = [
      [
        try set("A", .addresses, "10.0.0.1/32", "10.0.0.2/32"), try set("E", .addresses),
        try set("N", .hashNet, "10.0.0.0/8", except: "10.1.0.0/16"), try set("S", .hashNet, "fd00::/16", "fd00::1/128"),
      ],
      [
        try set("A", .addresses, "10.0.0.2/32", "10.0.0.3/32"), try set("B", .addresses, "fd00::1/128"),
        try set("N", .hashNet, "10.0.0.0/8", "10.1.0.0/16"), try set("S", .hashNet, "fd00::/17"),
      ],
      [try set("N", .hashNet, "10.0.0.0/8", except: "10.1.0.0/16")],
      [],
    ]
    let worker = try NamespaceWorker()
    let namespace = try worker.makeNamespace()
    var last: [NamedSet] = []
    for target in targets {
      let changes = try SetChanges(from: last, to: target)
      try worker.run(in: namespace) {
        let socket = try NetlinkSocket(.netfilter)
        try changes.additions.send(in: socket)
        try changes.removals.send(in: socket)
      }
      let saved = try Command(["ipset", "save"]).run(in: namespace, on: worker).requireSuccess().text
      #expect(lines(saved) == lines(try ipsetRestoreText(target)))
      last = target
    }
  }

  /// Sorted lines without hash seeds: the kernel lists members in its own order, and lists the seeds of its hashes.
  private func lines(_ text: String) -> [String] {
    text.split(separator: "\n").map { String($0).replacing(#/ initval 0x[0-9a-f]+/#, with: "") }.sorted()
  }

  @Test("only nft supports an interval set") func interval() throws {
    let set = try set("I", .interval, "10.0.0.0/8")
    #expect(throws: Unsupported("the interval set I", in: "ipset")) { try SetChanges(from: [], to: [set]) }
  }
}
