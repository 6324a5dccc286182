internal import NetpolModel
internal import Text

extension Inventory {
  /// The workloads whose pods are not in the input, sorted by namespace, name and kind. Each has its template, even if
  /// that is another workload's.
  var workloadsWithoutPods: [Workload] {
    let ownership = ownership
    let workloads = workloads
    let referring = Dictionary(grouping: workloads.filter { $0.reference != nil }, by: \.referenced)
    let own = workloads.filter { workload in
      guard let others = referring[workload.name] else { return true }
      return workload.keepsPods(besides: others)
    }
    return own.compactMap { $0.reference == nil ? $0 : $0.completed(in: workloads) }.filter { workload in
      !ownership.hasPods(Pod.Workload(kind: workload.kind, name: workload.id.name), in: workload.id.namespace)
        && !ownership.isMadeByAnother(workload)
    }.sorted { ($0.id, $0.kind) < ($1.id, $1.kind) }
  }
}

extension [Workload] {
  /// Which kinds of other projects were taken as workloads, and whose template is missing.
  var notes: [Note] {
    var notes: [Note] = []
    let lost = filter { $0.reference != nil && $0.completed(in: self) == nil }
    if !lost.isEmpty {
      let names = lost.map { "\($0.kind) \($0.id) (\($0.reference.map { "\($0.kind) \($0.name)" } ?? ""))" }
      notes.append(
        Note(.warning, "the workload of workloadRef is not in the input, so its pods are missing: \(names.abridged())"))
    }
    let taken = filter { !$0.group.isEmpty }
    if !taken.isEmpty {
      let kinds = taken.countedByKind { ($0.kind == Workload.knativeService ? "Service" : $0.kind, $0.group) }
      notes.append(Note(.note, "taken as workloads by their templates: \(kinds.abridged(to: 8))"))
    }
    let suspended = filter(\.isSuspended)
    if !suspended.isEmpty {
      notes.append(Note(.note, "suspended, so without pods: \(suspended.names.abridged())"))
    }
    let halted = filter { $0.isHalted && $0.count != .copies(0) }
    if !halted.isEmpty { notes.append(Note(.note, "taken as running, though halted: \(halted.names.abridged())")) }
    return notes
  }

  private var names: [String] { map { "\($0.kind) \($0.id)" } }
}

extension Workload {
  /// A workload by kind, namespace and name.
  fileprivate struct Name: Hashable {
    let namespace: String
    let workload: Pod.Workload
  }

  fileprivate var name: Name { Name(namespace: id.namespace, workload: Pod.Workload(kind: kind, name: id.name)) }
  fileprivate var referenced: Name? { reference.map { Name(namespace: id.namespace, workload: $0) } }

  /// Whether a workload has pods of its own beside those of the Rollouts that take its template: only if it states a
  /// number of replicas and no Rollout scales it down. Without a number it is there for its template.
  fileprivate func keepsPods(besides others: [Workload]) -> Bool {
    statesCount && !others.contains(where: \.scalesReferenceDown)
  }

  /// This workload with the template that it refers to. `nil` if the input lacks it.
  fileprivate func completed(in workloads: [Workload]) -> Workload? {
    workloads.first { $0.name == referenced }.map(taking)
  }
}
