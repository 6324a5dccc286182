internal import Apply
internal import Glibc
internal import Kernel
internal import Text

/// What is known of a program that the lab runs.
public enum ProgramVersion: Hashable, Sendable {
  /// Its answer to `--version`. It did what was asked of it in a trial.
  case found(String)
  case missing
  /// It is there but doesn't work: why.
  case broken(String)
  /// Nobody asked it: no packet was sent.
  case unasked

  /// The programs, each with those that come with it.
  public enum Program: String, Sendable {
    case iptables, ipset, nft

    /// The package of Debian and Ubuntu.
    package var package: String { self == .nft ? "nftables" : rawValue }

    /// Commands that must succeed in an empty namespace, the last of which must print a word. As the lab runs them.
    fileprivate var trials: [(commands: [[String]], input: String, prints: String)] {
      switch self {
      case .iptables:
        ["iptables", "ip6tables"].map { name in
          (
            [["\(name)-restore", "-w", "-T", "filter"], ["\(name)-save", "-t", "filter"]],
            "*filter\n:TRIAL - [0:0]\n-A TRIAL -j RETURN\nCOMMIT\n", "-A TRIAL -j RETURN"
          )
        }
      case .ipset: [([["ipset", "restore"], ["ipset", "save"]], "create TRIAL hash:ip\n", "create TRIAL hash:ip")]
      case .nft:
        [([["nft", "-f", "-"], ["nft", "list", "ruleset"]], "add table inet trial\n", "table inet trial")]
      }
    }
  }

  /// Tries a program in namespaces of the lab. Throws `KernelError` if the machine can't start any program.
  init(of program: Program, on worker: NamespaceWorker) throws {
    do {
      let namespace = try worker.makeNamespace()
      let answer = try Command([program.rawValue, "--version"], timeout: .seconds(5)).run(in: namespace, on: worker)
      let version = String(try answer.requireSuccess().text.prefix { !$0.isNewline }).cut(to: 100)
      for trial in program.trials { try Self.run(trial, on: worker) }
      self = .found(version)
    } catch let error as KernelError where error.code == ENOENT {
      self = .missing
    } catch let error as KernelError where error.code == ENOEXEC || error.code == EACCES {
      self = .broken("\(error)")
    } catch let error as CommandFailure {
      self = .broken("\(error)".cut(to: 200))
    } catch let error as Silence {
      self = .broken(error.description)
    }
  }

  private struct Silence: Error, CustomStringConvertible {
    let description: String
  }

  private static func run(
    _ trial: (commands: [[String]], input: String, prints: String), on worker: NamespaceWorker
  ) throws {
    let namespace = try worker.makeNamespace()
    let lock = try XtablesLock()
    var printed = ""
    for (index, arguments) in trial.commands.enumerated() {
      var command = lock.command(arguments, input: index == 0 ? Array(trial.input.utf8) : [])
      command.timeout = .seconds(5)
      printed = try command.run(in: namespace, on: worker).requireSuccess().text
    }
    guard printed.contains(trial.prints) else {
      let commands = trial.commands.map { $0.joined(separator: " ") }
      throw Silence(description: "\(commands.joined(separator: ", then ")): what was loaded is not there")
    }
  }

  /// Why the program can't be used, and what to do. `nil` if it can.
  func obstacle(to program: Program) -> String? {
    switch self {
    case .found, .unasked: nil
    case .missing: "there is no \(program.rawValue) program; apt-get install \(program.package)"
    case .broken(let reason): "\(reason); apt-get install --reinstall \(program.package)"
    }
  }

  /// The version, or why there is none.
  func text(of program: Program) -> String {
    switch self {
    case .found(let version): version
    case .missing: "\(program.rawValue) missing"
    case .broken: "\(program.rawValue) doesn't work"
    case .unasked: "\(program.rawValue) not used"
    }
  }
}

extension ProgramVersion: CustomStringConvertible {
  /// The version, `missing`, or why the program doesn't work.
  public var description: String {
    switch self {
    case .found(let version): version
    case .missing: "missing"
    case .broken(let reason): reason
    case .unasked: "not used"
    }
  }
}
