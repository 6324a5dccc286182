import Kernel
import NetpolModel
import Testing

@testable import Network

@Suite struct MemoryNeedTests {
  @Test("a lab that doesn't fit is refused before it is built, with what to do")
  func refused() throws {
    let memory = try #require(FreeMemory.now)
    let fits = MemoryNeed.namespaces(1)
    try fits.require(of: memory)
    for (need, remedy) in [(MemoryNeed.namespaces(1 << 40), "--max-replicas 1"), (.flows(1 << 50), "--from and --to")] {
      let error = try #require(throws: LabError.self) { try need.require(of: memory) }
      #expect(error.exitStatus == .machine)
      #expect(error.description.contains("MiB free; end other programs") && error.description.contains(remedy))
    }
  }

  @Test("nothing is refused where the kernel doesn't tell")
  func unknown() throws { try MemoryNeed.namespaces(1 << 40).require(of: nil) }
}
