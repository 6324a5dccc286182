internal import Glibc
internal import Kernel

/// What a program answers to `--version`.
public enum ProgramVersion: Hashable, Sendable {
  case found(String)
  case missing
  /// It is there but doesn't run: why.
  case broken(String)

  /// Asks a program, in a namespace of the lab. Throws `KernelError` if the machine can't start any program.
  init(of program: String, in namespace: NetworkNamespace, on worker: NamespaceWorker) throws {
    do {
      let result = try Command([program, "--version"], timeout: .seconds(5)).run(in: namespace, on: worker)
      do {
        self = .found(String(try result.requireSuccess().text.prefix { !$0.isNewline }))
      } catch { self = .broken("\(error)") }
    } catch let error as KernelError where error.code == ENOENT {
      self = .missing
    }
  }

  /// Why the program can't be used, and what to do. `nil` if it can.
  func obstacle(to program: String) -> String? {
    switch self {
    case .found: nil
    case .missing: "there is no \(program) program; netns-scripts/setup.sh installs it"
    case .broken(let reason): reason
    }
  }

  /// The version, or why there is none. `program` is its name.
  public func text(of program: String) -> String {
    switch self {
    case .found(let version): version
    case .missing: "\(program) missing"
    case .broken: "\(program) doesn't run"
    }
  }
}

extension ProgramVersion: CustomStringConvertible {
  /// The version, `missing`, or why the program doesn't run.
  public var description: String {
    switch self {
    case .found(let version): version
    case .missing: "missing"
    case .broken(let reason): reason
    }
  }
}
