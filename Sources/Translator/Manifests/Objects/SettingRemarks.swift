internal import NetpolModel

extension ClusterSettings {
  /// What the settings ask for and not every style does.
  func remarks(_ options: ReadOptions) -> [Note] {
    let styles = options.stylesWithDefaultDeny
    guard defaultDeny, let last = styles.last else { return [] }
    let names = styles.count == 1 ? last : "\(styles.dropLast().joined(separator: ", ")) and \(last)"
    return [Note(.note, "defaultDeny: true has an effect in \(names) only")]
  }
}
