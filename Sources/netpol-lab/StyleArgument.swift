import Lowering

extension EnforcementStyle {
  /// The one that `--style` names. Throws `InputError`.
  init(argument name: String, among styles: [EnforcementStyle] = all) throws {
    guard let style = Self.named(name, among: styles) else {
      throw InputError(
        "--style \(name): there is no such style; known: \(styles.map(\.name).joined(separator: ", "))")
    }
    self = style
  }
}
