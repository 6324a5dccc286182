internal import Kernel
internal import NetpolModel
internal import Text

/// An interactive shell whose prompt names its machine.
struct Prompt {
  /// Stands for the path of the start file.
  static let startFilePlace = "START-FILE"

  let command: [String]
  let environment: [String]
  /// What bash reads at its start.
  let startFile: String?

  init(_ endpoint: Endpoint, shell: String) {
    let name = endpoint.description.cut(to: 100).onOneLine
    let isBash = shell.split(separator: "/").last == "bash"
    command = isBash ? [shell, "--rcfile", Self.startFilePlace, "-i"] : [shell, "-i"]
    // The name is a variable's value, which a shell doesn't expand any further.
    startFile = isBash ? "[ -f ~/.bashrc ] && . ~/.bashrc\nPS1='($NETPOL_LAB_AT) '\"$PS1\"\n" : nil
    environment =
      currentEnvironment.filter { !$0.hasPrefix("NETPOL_LAB_AT=") && (isBash || !$0.hasPrefix("PS1=")) }
      + ["NETPOL_LAB_AT=\(name)"] + (isBash ? [] : ["PS1=($NETPOL_LAB_AT) $ "])
  }
}

extension ContainedProgram {
  /// The same with the path of the inherited file in place of its name.
  func withStartFile() -> ContainedProgram {
    var program = self
    if let path = inherited?.path {
      program.arguments = arguments.map { $0 == Prompt.startFilePlace ? path : $0 }
    }
    return program
  }
}
