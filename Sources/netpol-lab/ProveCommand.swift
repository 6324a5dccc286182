import ArgumentParser
import Enforcement
import Evaluator
import RuleIR
import EngineComparison
import Foundation
import Lowering
import Manifests
import NetpolModel
import Path
import Proof
import Worlds

struct ProveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prove",
    abstract: "Prove that a style's rules do with every packet what the policies say, or show a packet. Needs no root.")

  @OptionGroup var input: ManifestOptions
  @OptionGroup var enforcement: StyleOption

  func run() throws {
    if let seed = ProcessInfo.processInfo.environment["DBGSEED"].flatMap(UInt64.init) { Swift.print(World(seed: seed).cluster.manifest); return }
    let cluster = try input.reading().cluster
    let enforced = try EnforcedCluster(cluster, Topology(cluster), enforcement.style, versionStamp: "1")
    let comparer = Comparer(cluster, enforced)
    let proof = Proof(cluster, comparer)
    print("classes \(proof.classes) packets 2^\(Int(log2(max(1, proof.packets))))")
    for (reasons, one) in proof.differing.sorted(by: { $0.value.classes > $1.value.classes }) {
      print(reasons.map(\.id).joined(separator: "+"), one.classes, one.packets, one.example.source, one.example.destination, one.example.payload, one.example.state, one.example.place)
    }
    for (gap, count) in proof.gaps { print("gap", gap.rawValue, count) }
    print("counterexamples", proof.counterexamples.count)
    for one in proof.counterexamples.prefix(3) {
      print(one)
      let packet = Packet(from: one.packet.source.address, to: one.packet.destination.address, one.packet.payload, state: one.packet.state)
      for hook in [Hook.prerouting, .input, .forward, .output, .postrouting] {
        guard let out = enforced.run(packet, at: hook, of: one.packet.node) else { continue }
        print("  ", hook, out.verdict, out.steps.map { "\($0.table)/\($0.chain):\($0.index) \($0.rule.comment ?? "") \($0.rule.statements)" }.joined(separator: "\n      "))
      }
    }
  }
}
