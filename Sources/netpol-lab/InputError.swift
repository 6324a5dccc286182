import NetpolModel
import Text

/// Why input can't be used, in one line.
struct InputError: UserFacingError {
  let description: String
  var exitStatus: ExitStatus { .badInput }

  init(_ description: String) { self.description = description.cut(to: 900).onOneLine }
}
