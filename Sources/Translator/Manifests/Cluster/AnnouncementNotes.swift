internal import NetpolModel

extension Cluster {
  /// Who answers for load-balancer addresses and external IPs, where that is not stated and makes a difference.
  var announcementNotes: [Note] {
    if nodes.count < 2 { return [] }
    let own = Set(nodes.flatMap(\.addresses))
    let open = announcements.values.filter { !own.contains($0.address) }
      .sorted { ($0.service, $0.address) < ($1.service, $1.address) }
    let assumed = open.filter { $0.basis == .assumed }
    var notes = open.compactMap(\.note)
    if let first = assumed.first, let node = first.node {
      let names = assumed.map { "\($0.address) (\($0.service))" }.abridged(to: 5)
      notes.append(
        Note(
          .warning,
          "nothing says which node answers for \(names): \(node) is taken; "
            + "give loadBalancer or loadBalancerAnnouncer in a Cluster document"))
    }
    return notes
  }
}

extension Announcement {
  /// `nil` if the document states it, or nothing is known.
  fileprivate var note: Note? {
    let what = "\(address) of Service \(service)"
    let node = node ?? ""
    return switch basis {
    case .stated, .assumed: nil
    case .annotation: Note(.note, "\(node) answers for \(what), by its annotation kube-vip.io/vipHost")
    case .rule(let program): Note(.note, "\(node) answers for \(what) (\(program.title))")
    case .oneOfSeveral(let program, let nodes):
      Note(
        .note,
        "\(nodes.abridged(to: 5)) answer for \(what) (\(program.title)); here connections enter through \(node)")
    case .nobody(.kubeVIP):
      Note(
        .warning,
        "no node answers for \(what): kube-vip's leader has no serving endpoint of it, and its traffic policy is Local")
    case .nobody(let program):
      Note(
        .warning,
        "no node answers for \(what): \(program.title), announces it only from nodes with a serving endpoint that it may "
          + "use, and by an advertisement of its pool, and there is none")
    }
  }
}
