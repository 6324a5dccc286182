internal import NetpolModel

extension ClusterSettings {
  /// What the settings ask for and the lab doesn't do, or not in every style.
  var remarks: [Note] {
    var remarks: [Note] = []
    if liftICMPLimits == false {
      remarks.append(Note(.warning, "icmpLimits: kernel is not modelled yet: the lab lifts the limits on ICMP errors"))
    }
    if loadBalancerAnnouncer != nil {
      remarks.append(
        Note(.warning, "loadBalancerAnnouncer is not modelled yet: the lab has no load-balancer addresses"))
    }
    if defaultDeny {
      remarks.append(Note(.note, "defaultDeny: true has an effect in kube-router-2.11 and kube-router-2.11-nft only"))
    }
    return remarks
  }
}
