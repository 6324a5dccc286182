internal import NetpolModel

extension ClusterSettings {
  /// What the settings ask for and not every style does.
  var remarks: [Note] {
    guard defaultDeny else { return [] }
    return [Note(.note, "defaultDeny: true has an effect in kube-router-2.11, kube-router-2.11-nft and compiled only")]
  }
}
