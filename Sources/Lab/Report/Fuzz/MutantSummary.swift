public import Documents
public import Fuzz
internal import Text

/// The results of a mutant run: `netpol-lab/mutants/v1`, documented in docs/fuzzing.md.
public struct MutantSummary {
  struct Equivalent: Encodable {
    let mutant: String
    let because: String
  }

  struct Killed: Encodable {
    let mutant: String
    let seed: UInt64
  }

  struct Count: Encodable {
    var noticed = 0
    var mistakes = 0
  }

  let worlds: Int
  /// Equivalent mutants are not counted.
  public private(set) var noticed = 0
  public private(set) var mistakes = 0
  private var unnoticed: [String] = []
  /// Those of them that some packet shows: no sampled one did.
  public private(set) var missed = 0
  private var equivalent: [Equivalent] = []
  /// Mutants that are called equivalent but were noticed, or killed.
  private var disproved: [Equivalent] = []
  /// What proofs say about all mutants.
  private var killed: [Killed] = []
  private var proved: [String] = []
  /// Noticed by packets of which proofs say nothing.
  private var leftOut: [String] = []
  private var kinds: [String: Count] = [:]
  public var time = Duration.zero

  public init(worlds: Int) { self.worlds = worlds }

  public var judged: Int { mistakes + equivalent.count + disproved.count }
  public var unnoticedCount: Int { unnoticed.count }
  public var isDisproved: Bool { !disproved.isEmpty }

  /// `killedIn`: the seed of a world in which some packet has another fate with the mutant. `nil`: it does the same with
  /// every packet.
  public mutating func add(_ mutant: MutantHunt.Mutant, isNoticed: Bool, killedIn seed: UInt64?) {
    if let seed {
      killed.append(Killed(mutant: "\(mutant)", seed: seed))
    } else if isNoticed {
      leftOut.append("\(mutant)")
    } else {
      proved.append("\(mutant)")
    }
    if let because = mutant.equivalentBecause {
      let entry = Equivalent(mutant: "\(mutant)", because: because)
      if isNoticed || seed != nil { disproved.append(entry) } else { equivalent.append(entry) }
      return
    }
    mistakes += 1
    kinds[mutant.kind, default: Count()].mistakes += 1
    if isNoticed {
      noticed += 1
      kinds[mutant.kind]?.noticed += 1
    } else {
      unnoticed.append("\(mutant)")
      if seed != nil { missed += 1 }
    }
  }

  private var seconds: Double { time / .seconds(1) }

  public var document: Document {
    Document(
      schema: "netpol-lab/mutants/v1",
      facts: [
        Fact("worlds", worlds), Fact("noticed", noticed), Fact("mistakes", mistakes), Fact("unnoticed", unnoticed),
        Fact("equivalent", equivalent), Fact("disproved", disproved), Fact("kinds", kinds), Fact("killed", killed),
        Fact("provedEquivalent", proved), Fact("seconds", seconds),
      ],
      sections: [section])
  }

  /// One line for each mutant that is equivalent or was not noticed, unbroken so that it can be searched.
  private var section: Section {
    let counts = kinds.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.noticed)/\($0.value.mistakes)" }
    let mutants =
      equivalent.map { "equivalent: \($0.mutant): \($0.because)" }
      + disproved.map { "called equivalent, but noticed: \($0.mutant): \($0.because)" }
      + leftOut.map { "noticed by a packet that proofs leave out, such as one to a group: \($0)" }
      + unnoticed.map { mutant in
        let proof = killed.first { $0.mutant == mutant }.map { "killed by a class in the world of seed \($0.seed)" }
        return "unnoticed by sampled packets, \(proof ?? "proved equivalent in these worlds"): \(mutant)"
      }
    return Section([
      .code(Code(mutants)),
      .paragraph(
        "\(noticed) of \(mistakes) mutants noticed in \(counted(worlds, "world")), "
          + "plus \(counted(equivalent.count, "equivalent mutant")); \(Int(seconds.rounded())) s", indent: 2),
      .paragraph(
        "by proofs of every packet: \(counted(killed.count, "mutant")) killed by a class, \(proved.count) equivalent in "
          + "these worlds", indent: 2),
      .paragraph("by kind: \(counts.joined(separator: ", "))", indent: 2),
    ])
  }
}
