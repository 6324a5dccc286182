internal import Dumps
internal import Lowering
internal import Manifests
internal import NetpolModel
internal import Rendering
internal import RuleIR
internal import Statistics
internal import Text
internal import Worlds

/// Feeds the readers of manifests and dumps with text that nobody would write: valid text, changed at random.
///
/// A reader may accept a text or refuse it with one line that has its place. Everything else is a finding. A trap ends
/// the process, so the caller tells which case is running.
public struct InputFuzz: Sendable {
  /// What the readers read.
  public enum Form: String, CaseIterable, Sendable {
    case manifests, expectations, iptablesSave, ipsetSave, nftList, nftJSON
  }

  public struct Finding: Hashable, Sendable {
    public let number: UInt64
    public let form: Form
    public let problem: String
    public let text: String
  }

  public private(set) var accepted = 0
  public private(set) var refused = 0
  public private(set) var findings: [Finding] = []
  private let seed: UInt64
  private let samples: [Form: [String]]
  /// A case that takes longer hangs, for a reader.
  private static let patience = Duration.seconds(10)

  /// Makes the valid texts: random clusters, their rules, and documents with all fields. `listings` are further dumps of
  /// `nft -j`, which no renderer writes.
  public init(seed: UInt64, clusters: Int = 8, listings: [String] = []) throws {
    self.seed = seed
    var samples: [Form: [String]] = [.expectations: [Self.documents], .nftJSON: listings + [Self.listing]]
    for index in 0..<UInt64(clusters) {
      let cluster = World(seed: seed &+ index).cluster
      samples[.manifests, default: []].append(cluster.manifest)
      for style in EnforcementStyle.all {
        guard let node = cluster.nodes.first else { continue }
        let rules = style.lower(NodeView(of: node, in: cluster)).ruleset
        switch rules.backend {
        case .nftables: samples[.nftList, default: []].append(try nftText(rules))
        case .iptables:
          for table in rules.tables { samples[.iptablesSave, default: []].append(try iptablesRestoreText(table)) }
          samples[.ipsetSave, default: []].append(try ipsetRestoreText(rules.sets))
        }
      }
    }
    self.samples = samples
  }

  /// The text of a case. The same seed and number give the same text.
  public func text(of number: UInt64) -> (form: Form, text: String) {
    var random = SplitMix64(seed: seed &* 0x1_0000_0001 &+ number)
    let form = random.one(of: Form.allCases, else: .manifests)
    var text = InputMutation.Text(random.one(of: samples[form] ?? [], else: ""))
    for _ in 0..<random.number(1...4) { text.mutate(&random) }
    return (form, text.string)
  }

  /// Runs a case.
  public mutating func run(_ number: UInt64) {
    let (form, text) = text(of: number)
    let clock = ContinuousClock()
    let begin = clock.now
    var problem: String?
    do {
      try Self.read(form, text)
      accepted += 1
    } catch {
      refused += 1
      problem = Self.fault(of: error)
    }
    let took = clock.now - begin
    if took > Self.patience { problem = "took \(took)" }
    if let problem { findings.append(Finding(number: number, form: form, problem: problem, text: text)) }
  }

  private static func read(_ form: Form, _ text: String) throws {
    switch form {
    case .manifests, .expectations:
      for validation in Validation.allCases {
        var options = ReadOptions(validation: validation)
        options.standsIn = true
        let reading = try readManifests([ManifestSource(name: "input", text: text)], options: options)
        for group in reading.expectations {
          _ = try reading.cluster(of: group) { _ in ManifestSource(name: "added", text: added) }
        }
      }
    case .iptablesSave: _ = try readIptablesSave(text, family: .v4, file: "input")
    case .ipsetSave: _ = try readIpsetSave(text, file: "input")
    case .nftList: _ = try readNftList(text, file: "input")
    case .nftJSON: _ = try readNftJSON(text, file: "input")
    }
  }

  /// What is wrong with an error. `nil` if nothing is.
  private static func fault(of error: any Error) -> String? {
    guard let told = error as? any UserFacingError else { return "an error for nobody: \(error)" }
    let line = told.description
    if told.exitStatus != .badInput { return "exit code \(told.exitStatus.rawValue): \(line)" }
    if line.unicodeScalars.contains(where: \.actsOnTerminal) { return "a control character in the message" }
    if line.count > 1000 { return "a message of \(line.count) characters" }
    let place = line.split(separator: ":", maxSplits: 2)
    if place.count < 3 || !["input", "added"].contains(place[0]) || Int(place[1]) == nil { return "no place: \(line)" }
    return nil
  }
}
