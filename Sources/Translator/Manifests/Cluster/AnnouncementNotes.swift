internal import NetpolModel
internal import Text

extension Cluster {
  /// Who answers for load-balancer addresses and external IPs, where that is not stated and makes a difference.
  var announcementNotes: [Note] {
    if nodes.count < 2 { return [] }
    let own = Set(nodes.flatMap(\.addresses))
    let open = announcements.values.filter { !own.contains($0.address) }
      .sorted { ($0.service, $0.address) < ($1.service, $1.address) }
    let assumed = open.filter { $0.basis == .assumed }
    var notes = open.compactMap(\.note) + open.compactMap(otherWay) + strangeAnnouncers
    if !settings.metalLB.pools.isEmpty, settings.metalLB.advertisements.isEmpty {
      notes.append(
        Note(
          .warning,
          "IPAddressPools, but no L2Advertisement or BGPAdvertisement in the input: MetalLB announces nothing without one; "
            + "one that restricts nothing is assumed"))
    }
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

extension Cluster {
  /// MetalLB's two modes announce an address side by side. `nil` if only one does.
  private func otherWay(_ announcement: Announcement) -> Note? {
    guard case .rule(.metallbL2) = announcement.basis, settings.metalLB.has(.metallbBGP),
      let service = service(announcement.service)
    else { return nil }
    let routers = bgpAnnouncers(of: announcement.address, service)
    if routers.isEmpty { return nil }
    return Note(
      .note,
      "\(announcement.address) of Service \(service.id) is announced over BGP too, by \(routers.abridged(to: 5)): "
        + "packets through a router may enter there; state it with loadBalancerAnnouncer")
  }

  /// Names of nodes that say who answers and that no node has.
  private var strangeAnnouncers: [Note] {
    let annotated = services.compactMap { service in
      service.announcingNode.flatMap { node($0) == nil ? ($0, "kube-vip.io/vipHost of Service \(service.id)") : nil }
    }
    let leases =
      settings.loadBalancing != .kubeVIP
      ? []
      : settings.kubeVIPLeaders.compactMap { service, holder in
        node(holder) == nil
          ? (holder, service.map { "the Lease of Service \($0)" } ?? "the Lease plndr-svcs-lock") : nil
      }.sorted { $0.1 < $1.1 }
    return (annotated + leases).map { name, source in
      Note(.warning, "\(source) names \(name.quoted), which matches no node: it is not used")
    }
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
    case .nobody(let program, let absence):
      Note(.warning, "no node answers for \(what): \(program.title): \(absence.sentence(program))")
    }
  }
}

extension Announcement.Absence {
  fileprivate func sentence(_ program: LoadBalancing) -> String {
    switch self {
    case .noEndpoint: "the Service has no ready endpoint"
    case .noPool: "no IPAddressPool holds the address"
    case .notAdvertised(let pool):
      "no L2Advertisement or BGPAdvertisement is for "
        + (pool.map { "pool \($0) and this Service" } ?? "this Service")
    case .sharedAddress:
      "several Services share the address, and an advertisement with serviceSelectors announces no shared address"
    case .noNode where program == .kubeVIP:
      "the node that holds its lease has no ready endpoint, and its traffic policy is Local"
    case .noNode:
      "no node may announce it; with traffic policy Local it must have a ready endpoint, an advertisement's "
        + "nodeSelectors must admit it, and it must not be excluded from load balancers"
    }
  }
}
