internal import CLinux
internal import SystemPackage

/// Memory that this process and the kernel, on its behalf, may still take.
public struct FreeMemory: Hashable, Sendable {
  public let bytes: Int
  /// Whether a control group of this process sets the limit, as in a container.
  public let isOfControlGroup: Bool

  /// The smaller of what the machine has (MemAvailable of proc(5)) and what the process's control groups allow. `nil`
  /// if the kernel doesn't tell.
  public static var now: FreeMemory? { FreeMemory { try? text(of: $0) } }

  /// Gives back to the kernel what this process has freed.
  public static func returnFreed() { cl_trim() }

  /// `read` returns the text of a file, or `nil` if there is none.
  package init?(read: (String) -> String?) {
    guard let available = read("/proc/meminfo").flatMap({ Self.number("MemAvailable:", in: $0) }) else { return nil }
    let machine = available * 1024
    let group = Self.controlGroups(read("/proc/self/cgroup") ?? "").compactMap { Self.left(in: $0, read) }.min()
    bytes = min(machine, group ?? machine)
    isOfControlGroup = bytes < machine
  }

  /// The folders of a process's memory control groups (cgroups(7)), and of those that they belong to.
  private static func controlGroups(_ text: String) -> [String] {
    text.split(separator: "\n").flatMap { line -> [String] in
      let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
      guard fields.count == 3 else { return [] }
      let root: String
      if fields[0] == "0" {
        root = "/sys/fs/cgroup"
      } else if fields[1].split(separator: ",").contains("memory") {
        root = "/sys/fs/cgroup/memory"
      } else {
        return []
      }
      // In a container, the path may be the host's, of which only the root is visible.
      let parts = fields[2].split(separator: "/")
      return (0...parts.count).map { root + parts.prefix($0).map { "/\($0)" }.joined() }
    }
  }

  /// Bytes left in a group of version 2 or 1. Files that the kernel can drop from memory don't count.
  private static func left(in folder: String, _ read: (String) -> String?) -> Int? {
    for (limit, usage, cache) in [
      ("memory.max", "memory.current", "inactive_file"),
      ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
    ] {
      guard let limit = read("\(folder)/\(limit)").flatMap(Self.number),
        let usage = read("\(folder)/\(usage)").flatMap(Self.number)
      else { continue }
      let cached = read("\(folder)/memory.stat").flatMap { number("\(cache) ", in: $0) } ?? 0
      return max(0, limit - max(0, usage - cached))
    }
    return nil
  }

  private static func number(_ text: String) -> Int? {
    text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
  }

  private static func number(_ field: String, in text: String) -> Int? {
    let line = text.split(separator: "\n").first { $0.hasPrefix(field) }
    return line.flatMap { number(String($0.dropFirst(field.count))) }
  }

  private static func text(of path: String) throws -> String {
    let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
    return String(decoding: try file.closeAfter { try file.readAll() }, as: UTF8.self)
  }
}
