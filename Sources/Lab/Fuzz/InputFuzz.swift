internal import DumpDiff
internal import Dumps
internal import Kernel
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
/// A reader may accept a text or refuse it with one line that has its place. What it accepts must become rules, and a
/// dump must be comparable with its style's rules. Everything else is a finding. A trap ends the process, so the caller
/// tells which case is running.
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
  /// The case that took longest, and its processor time.
  public private(set) var slowest: (number: UInt64, time: Duration) = (0, .zero)
  private let seed: UInt64
  private let samples: [Form: [Sample]]
  /// A case that takes more of the processor's time hangs, for a reader.
  private static let patience = Duration.seconds(10)

  /// A valid text. A dump has the rules that it was made from, and how to recognise them.
  private struct Sample {
    let text: String
    var source: (rules: Ruleset, traces: Traces)?
  }

  /// Makes the valid texts: random clusters, their rules, and documents with all fields. `listings` are further dumps of
  /// `nft -j`, which no renderer writes.
  public init(seed: UInt64, clusters: Int = 8, listings: [String] = []) throws {
    self.seed = seed
    var samples: [Form: [Sample]] = [
      .expectations: [Sample(text: Self.documents)], .nftJSON: (listings + [Self.listing]).map { Sample(text: $0) },
    ]
    for index in 0..<UInt64(clusters) {
      let cluster = World(seed: seed &+ index).cluster
      samples[.manifests, default: []].append(Sample(text: cluster.manifest))
      for style in EnforcementStyle.all {
        guard let node = cluster.nodes.first else { continue }
        let view = NodeView(of: node, in: cluster)
        let rules = style.lower(view).ruleset
        let source = (rules, style.traces(on: view))
        for (form, text) in try Self.dumps(of: rules) {
          samples[form, default: []].append(Sample(text: text, source: source))
        }
      }
    }
    self.samples = samples
  }

  /// The rules as a node's dumps.
  static func dumps(of rules: Ruleset) throws -> [(Form, String)] {
    switch rules.backend {
    case .nftables: [(.nftList, try nftText(rules))]
    case .iptables:
      try rules.tables.map { (.iptablesSave, try iptablesRestoreText($0)) }
        + [(.ipsetSave, try ipsetRestoreText(rules.sets))]
    }
  }

  /// The text of a case. The same seed and number give the same text.
  public func text(of number: UInt64) -> (form: Form, text: String) {
    let drawn = drawn(number)
    return (drawn.form, drawn.text)
  }

  private func drawn(_ number: UInt64) -> (form: Form, sample: Sample, text: String) {
    var random = SplitMix64(seed: seed &* 0x1_0000_0001 &+ number)
    let form = random.one(of: Form.allCases, else: .manifests)
    let sample = random.one(of: samples[form] ?? [], else: Sample(text: ""))
    var text = InputMutation.Text(sample.text)
    for _ in 0..<random.number(1...4) { text.mutate(&random) }
    return (form, sample, text.string)
  }

  /// Runs a case.
  public mutating func run(_ number: UInt64) {
    let (form, sample, text) = drawn(number)
    // On a busy machine, a case may take much longer by the clock.
    let begin = ThreadTime.used
    var problem: String?
    do {
      let accepted = try Self.read(form, text)
      self.accepted += 1
      let styles = EnforcementStyle.all
      do { try accepted.use(styles[Int(number % UInt64(styles.count))], sample.source) } catch {
        problem = Self.fault(of: error, hasPlace: false)
      }
    } catch {
      refused += 1
      problem = Self.fault(of: error)
    }
    let took = Duration.nanoseconds(ThreadTime.used - begin)
    if took > slowest.time { slowest = (number, took) }
    if took > Self.patience { problem = "took \(took)" }
    if let problem { findings.append(Finding(number: number, form: form, problem: problem, text: text)) }
  }

  private static func read(_ form: Form, _ text: String) throws -> AcceptedInput {
    switch form {
    case .manifests, .expectations:
      var clusters: [Cluster] = []
      for validation in Validation.allCases {
        var options = ReadOptions(validation: validation)
        options.standsIn = true
        let reading = try readManifests([ManifestSource(name: "input", text: text)], options: options)
        for group in reading.expectations {
          clusters.append(try reading.cluster(of: group) { _ in ManifestSource(name: "added", text: added) })
        }
        clusters.append(reading.cluster)
      }
      return .clusters(clusters)
    case .iptablesSave: return .dump(NodeRules([try readIptablesSave(text, family: .v4, file: "input")], IpsetDump()))
    case .ipsetSave: return .dump(NodeRules([], try readIpsetSave(text, file: "input")))
    case .nftList: return .dump(NodeRules(try readNftList(text, file: "input")))
    case .nftJSON: return .dump(NodeRules(try readNftJSON(text, file: "input")))
    }
  }

  /// What is wrong with an error. `nil` if nothing is.
  private static func fault(of error: any Error, hasPlace: Bool = true) -> String? {
    guard let told = error as? any UserFacingError else { return "an error for nobody: \(error)" }
    let line = told.description
    if told.exitStatus != .badInput { return "exit code \(told.exitStatus.rawValue): \(line)" }
    if line.unicodeScalars.contains(where: \.actsOnTerminal) { return "a control character in the message" }
    if line.count > 1000 { return "a message of \(line.count) characters" }
    if !hasPlace { return nil }
    let place = line.split(separator: ":", maxSplits: 2)
    if place.count < 3 || !["input", "added"].contains(place[0]) || Int(place[1]) == nil { return "no place: \(line)" }
    return nil
  }
}
