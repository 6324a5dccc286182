// Covers the arithmetic. Not covered: how much memory the kernel really gives before it kills a process.
import Testing

@testable import Kernel

@Suite struct FreeMemoryTests {
  private static let unlimited = ["/proc/meminfo": "MemTotal: 16000 kB\nMemFree: 10 kB\nMemAvailable:    8000 kB\n"]

  @Test(
    "the smallest limit counts: the machine's, the group's, or that of a group above it",
    arguments: [
      ([:], 8000 * 1024, false),
      (["/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n"], 8000 * 1024, false),
      (
        [
          "/proc/self/cgroup": "1:cpu:/x\n0::/a/b\n", "/sys/fs/cgroup/a/b/memory.max": "max\n",
          "/sys/fs/cgroup/a/memory.max": "1000000\n", "/sys/fs/cgroup/a/memory.current": "400000\n",
          "/sys/fs/cgroup/a/memory.stat": "anon 5\ninactive_file 100000\n",
        ], 700_000, true
      ),
      (
        [
          "/proc/self/cgroup": "4:cpu,memory:/docker/x\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "500\n",
          "/sys/fs/cgroup/memory/memory.usage_in_bytes": "600\n",
        ], 0, true
      ),
    ] as [([String: String], Int, Bool)])
  func smallest(files: [String: String], bytes: Int, isOfControlGroup: Bool) throws {
    let memory = try #require(FreeMemory { files[$0] ?? Self.unlimited[$0] })
    #expect(memory.bytes == bytes && memory.isOfControlGroup == isOfControlGroup)
  }

  @Test func thisMachineHasMemory() throws { #expect(try #require(FreeMemory.now).bytes > 0) }
  @Test func withoutProcNothingIsKnown() { #expect(FreeMemory { _ in nil } == nil) }
}
