internal import NetpolModel
internal import Text

extension ManifestObject {
  /// Checks `restartPolicy` of a workload's template as `ValidatePodTemplateSpecForReplicaSet` and `validateJobSpec` do.
  /// The schema reports a value that no pod may have.
  func checkRestartPolicy(_ template: Fields?) throws(ManifestError) {
    guard let spec = try template?["spec"]?.fields() else { return }
    let field = spec["restartPolicy"]
    let policy = try field?.string() ?? ""
    if ["Job", "CronJob"].contains(kind) {
      if let field, policy == "Always" {
        throw field.error("\"Always\" is not supported in a \(kind)", "write OnFailure or Never")
      }
      if policy.isEmpty { throw spec.missing("restartPolicy", "a \(kind) needs OnFailure or Never") }
    } else if let field, ["OnFailure", "Never"].contains(policy) {
      throw field.error("\(policy.quoted) is not supported in a \(kind)", "remove it, or write Always")
    }
  }
}
