// Compares with the `ipset` program on the same kernel. Not covered: rules that match the sets.
import Glibc
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces) struct IPSetTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func list(_ name: String? = nil) throws -> [IPSetListing] {
    try sandbox.run { try IPSetListing.list(name, in: NetlinkSocket(.netfilter)) }
  }

  /// `ipset save` with its lines sorted, and without the values of `initval`, which are random.
  private func saved() throws -> [String] {
    try sandbox.output(of: "ipset", "save").split(separator: "\n").map { line in
      let words = line.split(separator: " ").map { $0.hasPrefix("0x") ? "0x…" : $0 }
      return words.joined(separator: " ")
    }.sorted()
  }

  private let six: [UInt8] = [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 12)

  @Test func createdSetsMatchIpsetSave() throws {
    var batch = IPSetBatch()
    batch.create("N4", .blocks, .v4)
    batch.create("N6", .blocks, .v6)
    batch.create("A4", .addresses, .v4)
    batch.create("A6", .addresses, .v6, IPSetOptions(hashSize: 2048, maxElements: 9000, bucketSize: 8, timeout: nil))
    batch.add(
      [
        IPSetEntry([10, 0, 0, 0], prefix: 8, nomatch: true), IPSetEntry([0, 0, 0, 0], prefix: 1),
        IPSetEntry([192, 0, 2, 1], prefix: 32, timeout: 0),
      ], to: "N4")
    batch.add([IPSetEntry(six, prefix: 32), IPSetEntry(six, prefix: 128, nomatch: true, timeout: 0)], to: "N6")
    batch.add([IPSetEntry([10, 0, 0, 7], timeout: 0)], to: "A4")
    batch.add([IPSetEntry(six)], to: "A6")
    try sandbox.send(batch)
    #expect(
      try saved() == [
        "add A4 10.0.0.7 timeout 0",
        "add A6 2001:db8::",
        "add N4 0.0.0.0/1 timeout 0",
        "add N4 10.0.0.0/8 timeout 0 nomatch",
        "add N4 192.0.2.1 timeout 0",
        "add N6 2001:db8:: timeout 0 nomatch",
        "add N6 2001:db8::/32 timeout 0",
        "create A4 hash:ip family inet hashsize 1024 maxelem 65536 timeout 0 bucketsize 12 initval 0x…",
        "create A6 hash:ip family inet6 hashsize 2048 maxelem 9000 bucketsize 8 initval 0x…",
        "create N4 hash:net family inet hashsize 1024 maxelem 65536 timeout 0 bucketsize 12 initval 0x…",
        "create N6 hash:net family inet6 hashsize 1024 maxelem 65536 timeout 0 bucketsize 12 initval 0x…",
      ])
  }

  @Test func listedSetsMatchIpsetSave() throws {
    var batch = IPSetBatch()
    batch.create("N", .blocks, .v4)
    batch.create("E", .addresses, .v6)
    let blocks = (0..<3000).map { (index: Int) -> IPSetEntry in
      let address: [UInt8] = [10, UInt8(index >> 8), UInt8(index & 255), 0]
      return IPSetEntry(address, prefix: 24, nomatch: index.isMultiple(of: 3))
    }
    batch.add(blocks, to: "N")
    try sandbox.send(batch)
    let sets = try list()
    #expect(Set(sets.map(\.name)) == ["N", "E"])
    let listed = try #require(sets.first { $0.name == "N" })
    #expect(listed.type == "hash:net" && listed.family == .v4 && listed.timeout == 0 && listed.references == 0)
    #expect(listed.entries.count == 3000)
    #expect(try Set(listed.entries.map { "add N \($0)" }) == Set(saved().filter { $0.hasPrefix("add") }))
    #expect(try list("E").map(\.entries) == [[]])
  }

  @Test func manyIPv6EntriesFillSeveralNests() throws {
    var batch = IPSetBatch()
    batch.create("N", .blocks, .v6)
    let entries = (0..<5000).map { (index: Int) -> IPSetEntry in
      let address: [UInt8] = six.dropLast(2) + [UInt8(index >> 8), UInt8(index & 255)]
      return IPSetEntry(address, prefix: 128, nomatch: true, timeout: 0)
    }
    batch.add(entries, to: "N")
    try sandbox.send(batch)
    #expect(try list().first?.entries.count == 5000)
  }

  @Test func swappedSetsExchangeTheirEntries() throws {
    var batch = IPSetBatch()
    batch.create("A", .addresses, .v4)
    batch.create("TMP", .addresses, .v4)
    batch.add([IPSetEntry([10, 0, 0, 1])], to: "A")
    batch.add([IPSetEntry([10, 0, 0, 2])], to: "TMP")
    batch.swap("A", "TMP")
    batch.destroy("TMP")
    try sandbox.send(batch)
    #expect(try saved().first == "add A 10.0.0.2 timeout 0")
    #expect(try list().map(\.name) == ["A"])
  }

  @Test func aSetIsNotSwappedInAfterAnEntryFailed() throws {
    var batch = IPSetBatch()
    batch.create("A", .addresses, .v4)
    batch.add([IPSetEntry([10, 0, 0, 1])], to: "A")
    try sandbox.send(batch)
    batch = IPSetBatch()
    batch.create("TMP", .addresses, .v4)
    batch.add([IPSetEntry([10, 0, 0, 2]), IPSetEntry([10, 0, 0, 3]), IPSetEntry([10, 0, 0, 3])], to: "TMP")
    batch.swap("A", "TMP")
    #expect {
      try sandbox.send(batch)
    } throws: { "\($0)" == "ipset add TMP (3 entries): IPSET_ERR_EXIST: entry 10.0.0.3" }
    #expect(try list("A").first?.entries.map(\.address) == [[10, 0, 0, 1]])
  }

  @Test func entriesAreDeletedAndFlushed() throws {
    var batch = IPSetBatch()
    batch.create("A", .addresses, .v4)
    batch.create("B", .addresses, .v4)
    for name in ["A", "B"] { batch.add([IPSetEntry([10, 0, 0, 1]), IPSetEntry([10, 0, 0, 2])], to: name) }
    batch.delete([IPSetEntry([10, 0, 0, 1])], from: "A")
    batch.flush("B")
    try sandbox.send(batch)
    #expect(try list("A").first?.entries.map(\.address) == [[10, 0, 0, 2]])
    #expect(try list("B").first?.entries == [])
  }

  @Test func theErrorOfAnUnknownSetNamesIt() throws {
    var batch = IPSetBatch()
    batch.destroy("nosuch")
    #expect {
      try sandbox.send(batch)
    } throws: { "\($0)" == "ipset destroy nosuch: No such file or directory (ENOENT)" }
    #expect { try list("nosuch") } throws: { ($0 as? KernelError)?.code == ENOENT }
  }

  @Test func aSetInUseIsNotDestroyed() throws {
    var batch = IPSetBatch()
    batch.create("A", .addresses, .v4)
    try sandbox.send(batch)
    let lock = try MemoryFile("xtables.lock")
    try Command(
      ["iptables", "-A", "INPUT", "-m", "set", "--match-set", "A", "src", "-j", "DROP"],
      environment: ["XTABLES_LOCKFILE": lock.path], inherited: lock
    ).run(in: sandbox.namespace, on: sandbox.worker).requireSuccess()
    #expect(try list("A").first?.references == 1)
    batch = IPSetBatch()
    batch.destroy("A")
    #expect { try sandbox.send(batch) } throws: { ($0 as? KernelError)?.name == "IPSET_ERR_BUSY" }
  }
}
