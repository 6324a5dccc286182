internal import NetpolModel

extension ClusterSettings {
  /// Notes for settings that only some styles support.
  func remarks(_ options: ReadOptions) -> [Note] {
    let styles = options.stylesWithDefaultDeny
    guard defaultDeny, let last = styles.last else { return [] }
    let names = styles.count == 1 ? last : "\(styles.dropLast().joined(separator: ", ")) and \(last)"
    return [Note(.note, "defaultDeny: true has an effect in \(names) only")]
  }
}
