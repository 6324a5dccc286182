import Kernel

/// What a script does on this machine.
enum ScriptCheck: Equatable {
  case showsVerdict
  /// It ran, and the packet's verdict was another.
  case showsOther
  /// This machine can't run it, and why.
  case notRun(String)
  case unasked

  /// Runs the script. Throws `KernelError` if no program can be started.
  init(_ script: String) throws {
    let file = try MemoryFile("export", contents: Array(script.utf8))
    let worker = try NamespaceWorker()
    defer { worker.close() }
    let result = try Command(["bash", file.path], inherited: file, timeout: .seconds(120)).run(on: worker)
    switch result.ending {
    case .exited(0): self = .showsVerdict
    case .exited(1): self = .showsOther
    case .exited, .signalled, .timedOut:
      let said = String(decoding: result.stderr, as: UTF8.self).split(separator: "\n").last.map(String.init)
      self = .notRun(said ?? result.ending.description)
    }
  }

  var remark: String? {
    switch self {
    case .showsVerdict: "note: the script was run here, and shows what its heading says"
    case .showsOther:
      "warning: the script was run here, and the packet's verdict is another than its heading says: please report it"
    case .notRun(let why): "warning: the script could not be run here, so nothing shows that it is right: \(why)"
    case .unasked: nil
    }
  }
}
