internal import CLinux
internal import Glibc
internal import SystemPackage

/// A program with this process's terminal and standard streams, alone with its children in namespaces of its own: the
/// network of a machine, its own files in /etc, and process IDs that nobody else has.
///
/// When it ends, so do its children. When this process ends, however that happens, so does the program.
public struct ContainedProgram: Sendable {
  /// A file of this machine, and the text that the program finds there instead.
  public struct File: Sendable {
    public let path: String
    public let text: String
    public init(_ path: String, _ text: String) {
      self.path = path
      self.text = text
    }

    /// The text of a file of this machine. Throws `KernelError` if it can't be read.
    public static func text(of path: String) throws(KernelError) -> String {
      try named("read \(path)") {
        let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
        return String(decoding: try file.closeAfter { try file.readAll() }, as: UTF8.self)
      }
    }
  }

  /// The program's path, and then its arguments.
  public var arguments: [String]
  public var environment: [String]
  public var files: [File]
  public var hostName: String
  /// A file that the program inherits and can open by the file's `path`.
  public var inherited: MemoryFile?

  public init(
    _ arguments: [String], environment: [String] = currentEnvironment, files: [File] = [], hostName: String,
    inherited: MemoryFile? = nil
  ) {
    self.arguments = arguments
    self.environment = environment
    self.files = files
    self.hostName = hostName
    self.inherited = inherited
  }

  /// Runs the program in `namespace` and waits for it to end. Returns its exit status, or 128 and the number of the
  /// signal that ended it. Signals of the terminal's keys are the program's alone meanwhile.
  ///
  /// Throws `KernelError` if the program or a namespace of it can't be started.
  public func run(in namespace: NetworkNamespace, on worker: NamespaceWorker) throws -> Int32 {
    let path = arguments.first ?? ""
    // Handlers and not SIG_IGN, which the program would inherit.
    let before = [SIGINT, SIGQUIT].map { ($0, signal($0) { _ in }) }
    defer { for (number, handler) in before { signal(number, handler) } }
    let texts = files.map { Array($0.text.utf8) }
    let pid = try worker.run(in: namespace) {
      try withCStrings(files.map(\.path)) { paths in
        try withCStrings(arguments) { arguments in
          try withCStrings(environment) { environment in
            try Self.start(path, arguments, environment, hostName, paths, texts, inherited?.fd ?? -1)
          }
        }
      }
    }
    var status: Int32 = 0
    try call("waitpid") { waitpid(pid, &status, 0) }
    cl_take_terminal()
    return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
  }

  private static func start(
    _ path: String, _ arguments: [UnsafeMutablePointer<CChar>?], _ environment: [UnsafeMutablePointer<CChar>?],
    _ hostName: String, _ paths: [UnsafeMutablePointer<CChar>?], _ texts: [[UInt8]], _ keep: Int32
  ) throws(KernelError) -> Int32 {
    // One after the other in one piece of memory, which stays where it is.
    let all = texts.flatMap(\.self)
    var step = [CChar](repeating: 0, count: 64)
    let result = all.withUnsafeBytes { bytes in
      var files: [cl_file] = []
      var offset = 0
      for (path, text) in zip(paths, texts) {
        files.append(cl_file(path: path, text: bytes.baseAddress.map { $0 + offset }, length: UInt(text.count)))
        offset += text.count
      }
      return cl_start_contained(
        path, arguments, environment, hostName, files, Int32(files.count), keep, &step)
    }
    if result > 0 { return result }
    let name = String(decoding: step.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    throw KernelError("run \(path): \(name)", code: -result)
  }
}

/// The environment of this process: `NAME=value`.
public var currentEnvironment: [String] {
  var variables: [String] = []
  guard let values = cl_environ() else { return variables }
  var index = 0
  while let value = values[index] {
    variables.append(String(cString: value))
    index += 1
  }
  return variables
}
