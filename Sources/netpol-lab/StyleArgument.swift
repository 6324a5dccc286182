import Lowering

extension EnforcementStyle {
  /// The one that `--style` names. Throws `InputError`.
  init(argument name: String) throws {
    guard let style = Self.named(name) else {
      throw InputError(
        "--style \(name): there is no such style; known: \(Self.all.map(\.name).joined(separator: ", "))")
    }
    self = style
  }
}
