internal import Foundation
internal import Network

/// Memory that the kernel uses itself (proc_meminfo(5)), in bytes: slabs, vmalloc and per-CPU areas. Rules and sets are
/// part of it.
struct KernelMemory: Hashable, Sendable {
  let bytes: Int

  /// Throws `LabError` if /proc/meminfo lacks one of them.
  static func now() throws -> KernelMemory {
    let text = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8)
    guard let memory = KernelMemory(meminfo: text) else {
      throw LabError("/proc/meminfo lacks Slab, VmallocUsed or Percpu")
    }
    return memory
  }

  /// `nil` if a line is missing.
  init?(meminfo text: String) {
    var sizes: [Substring: Int] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split { $0 == " " || $0 == ":" }
      if words.count > 1, let size = Int(words[1]) { sizes[words[0]] = size * 1024 }
    }
    guard let slab = sizes["Slab"], let vmalloc = sizes["VmallocUsed"], let perCPU = sizes["Percpu"] else { return nil }
    bytes = slab + vmalloc + perCPU
  }
}
