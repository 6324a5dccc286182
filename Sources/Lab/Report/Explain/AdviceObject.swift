internal import EngineComparison
internal import NetpolModel
internal import PolicyDiff
internal import Remedies
internal import Run
internal import Text

/// What would turn a flow's verdict, in JSON. `nil` values are left out.
struct AdviceObject: Encodable {
  /// `allowing`, `closing`, `hopeless`, `notSought`.
  let kind: String
  let why: String?
  let changes: [ChangeObject]
  /// Changes with as few edits that are not listed.
  let others: Int

  init(_ advice: Advice, _ cluster: Cluster) {
    switch advice {
    case .allowing(let remedies, let others):
      (kind, why, self.others) = ("allowing", nil, others)
      changes = remedies.map { ChangeObject($0, cluster) }
    case .closing(let remedies, let others):
      (kind, why, self.others) = ("closing", nil, others)
      changes = remedies.map { ChangeObject($0, cluster) }
    case .hopeless(let reason): (kind, why, changes, others) = ("hopeless", AdviceText.text(reason), [], 0)
    case .notSought: (kind, why, changes, others) = ("notSought", nil, [], 0)
    }
  }

  struct ChangeObject: Encodable {
    let edits: [String]
    let patches: [PatchObject]
    /// Other flows, each kind once, and how many pairs of addresses with a port they are.
    let opens, closes: [String]
    /// Flows with the same answer that it does not turn.
    let unchanged: [String]
    let opensCount, closesCount: Int
    /// What the flow's verdict is with the change, and what a packet shows.
    let verdict: String
    let observed: String?

    init(_ checked: CheckedRemedy, _ cluster: Cluster) {
      edits = checked.remedy.edits.map(EditText(cluster).text)
      patches = checked.files.map(PatchObject.init)
      let names = EndNames(checked.remedy.difference)
      let texts = { (isOpened: Bool) in
        checked.remedy.otherRows.filter { $0.isOpened == isOpened }.map(names.text)
      }
      (opens, closes) = (texts(true), texts(false))
      (opensCount, closesCount) = (checked.remedy.cost.opened, checked.remedy.cost.closed)
      unchanged = checked.unchanged.map(\.description)
      verdict = checked.after.verdict?.rawValue ?? "none"
      observed = checked.after.observed?.rawValue
    }
  }
}

/// Changes for all refused flows.
struct TogetherObject: Encodable {
  let edits: [String]
  let patches: [PatchObject]
  /// The flows that pass with them, and those that don't.
  let opened, refused: [String]

  init(_ together: Together, _ cluster: Cluster) {
    edits = together.edits.map(EditText(cluster).text)
    patches = together.files.map(PatchObject.init)
    opened = together.opened.map(\.description)
    refused = together.refused.map(\.description)
  }
}

/// A change of one file.
struct PatchObject: Encodable {
  let file, diff: String

  init(_ change: FileChange) {
    file = change.name
    diff = LineDiff(change.before, change.after).unified(change.name).joined(separator: "\n") + "\n"
  }
}
