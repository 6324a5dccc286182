internal import Algorithms
internal import CLinux
internal import Glibc
internal import SystemPackage

/// A program to run in a network namespace: `iptables-restore`, `ipset`, `nft`.
public struct Command: Sendable {
  /// The program, by path or by name, and its arguments.
  public var arguments: [String]
  /// Its standard input. It is a file in memory, so the program can read it at any time or not at all.
  public var input: [UInt8]
  /// Variables in addition to this process's PATH, HOME and TMPDIR, and LC_ALL=C.
  public var environment: [String: String]
  /// A file that the program inherits under the same descriptor number and can open by the file's `path`.
  public var inherited: MemoryFile?
  /// The program is killed after this time.
  public var timeout: Duration

  public init(
    _ arguments: [String], input: [UInt8] = [], environment: [String: String] = [:], inherited: MemoryFile? = nil,
    timeout: Duration = .seconds(60)
  ) {
    self.arguments = arguments
    self.input = input
    self.environment = environment
    self.inherited = inherited
    self.timeout = timeout
  }

  /// Runs the program in `namespace` and waits for it to end. Any exit status is a result, not an error.
  ///
  /// Only the start happens on the worker's thread, which is free for other work while the program runs. Background
  /// processes that the program leaves behind are not waited for.
  public func run(in namespace: NetworkNamespace, on worker: NamespaceWorker) throws -> CommandResult {
    try run { start in try worker.run(in: namespace, start) }
  }

  /// Runs the program in the namespace of the worker's thread.
  public func run(on worker: NamespaceWorker) throws -> CommandResult {
    try run { start in try worker.onThread(start) }
  }

  private func run(starting: (() throws -> Child) throws -> Child) throws -> CommandResult {
    let path = try executable()
    let stdin = try MemoryFile("stdin", contents: input)
    let stdout = try OutputPipe()
    let stderr = try OutputPipe()
    let begin = MonotonicClock.now
    let child = try starting {
      try Child.start(
        path, arguments, childEnvironment, stdin: stdin.fd, stdout: stdout.writer, stderr: stderr.writer,
        keep: inherited?.fd ?? -1)
    }
    var output = stdout.capture()
    var errors = stderr.capture()
    let ending = try child.wait(until: begin + timeout.nanoseconds, &output, &errors)
    return CommandResult(
      arguments: arguments, ending: ending, stdout: output.bytes, stderr: errors.bytes,
      duration: .nanoseconds(MonotonicClock.now - begin))
  }

  private var childEnvironment: [String] {
    var variables = ["LC_ALL": "C", "PATH": Self.searchPath.joined(separator: ":")]
    for name in ["HOME", "TMPDIR"] { variables[name] = Self.inheritedVariable(name) }
    return variables.merging(environment) { $1 }.map { "\($0)=\($1)" }
  }

  private func executable() throws(KernelError) -> String {
    guard let name = arguments.first, !name.isEmpty else { throw KernelError("run an empty command", code: ENOENT) }
    if name.contains("/") { return name }
    for directory in Self.searchPath where access("\(directory)/\(name)", X_OK) == 0 { return "\(directory)/\(name)" }
    throw KernelError("run \(name)", code: ENOENT, message: "not in \(Self.searchPath.joined(separator: ":"))")
  }

  /// PATH, plus the directories of the administrator's programs: an ordinary user's PATH often lacks those.
  private static var searchPath: [String] {
    let inherited = (inheritedVariable("PATH") ?? "/usr/bin:/bin").split(separator: ":").map(String.init)
    return Array((inherited + ["/usr/sbin", "/sbin"]).uniqued())
  }

  private static func inheritedVariable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
