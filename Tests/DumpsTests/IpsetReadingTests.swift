import Dumps
import NetpolModel
import RuleIR
import Testing

@Suite("Sets of ipset save") struct IpsetReadingTests {
  private let options = "family inet hashsize 1024 maxelem 65536 timeout 0 bucketsize 12 initval 0x12"

  @Test("sets of both kinds and families are read, with members in order") func read() throws {
    let text = """
      create B hash:net \(options)
      add B 10.0.0.0/8 timeout 0
      add B 10.1.0.0 timeout 0 nomatch
      create inet6:A hash:ip family inet6 hashsize 64 maxelem 10 counters comment
      add inet6:A fd00::1 packets 0 bytes 1 comment "two words\\"
      add B 9.0.0.0/8 nomatch
      """
    let net = { (bits: UInt32, length: Int) in CIDR(IPAddress(v4: bits), prefixLength: length) }
    #expect(
      try readIpsetSave(text, file: "f")
        == IpsetDump(sets: [
          NamedSet(
            name: "B", family: .v4, kind: .hashNet,
            members: [
              .init(net(0x0a00_0000, 8)), .init(net(0x0a01_0000, 32), nomatch: true),
              .init(net(0x0900_0000, 8), nomatch: true),
            ]),
          NamedSet(
            name: "inet6:A", family: .v6, kind: .addresses, members: [.init(CIDR(IPAddress(v6: 0xfd00 << 112 | 1)))]),
        ]))
  }

  @Test("sets of other types are foreign, including their members") func foreign() throws {
    let text = """
      create P hash:ip,port family inet hashsize 1024 maxelem 65536
      add P 10.0.0.1,tcp:80
      create L list:set size 8
      add L P
      create bits bitmap:port range 0-1024
      create masked hash:ip family inet hashsize 1024 maxelem 65536 netmask 24
      add masked 10.0.0.0
      create S hash:ip \(options)
      add S 10.0.0.1 timeout 0
      """
    let dump = try readIpsetSave(text, file: "f")
    #expect(dump.sets.map(\.name) == ["S"])
    #expect(dump.foreign.map(\.name) == ["P", "L", "bits", "masked"])
    #expect(dump.foreign.map(\.type) == ["hash:ip,port", "list:set", "bitmap:port", "hash:ip"])
    #expect(dump.foreign.map(\.line) == [1, 3, 5, 6])
    #expect(dump.foreign.last?.problem == "netmask is not understood")
    #expect(dump.foreign[1].text == "create L list:set size 8")
  }

  @Test(
    "errors in broken sets name the line",
    arguments: [
      "garbage", "add S", "add T 10.0.0.1", "create S hash:ip family inet", "create T hash:ip", "create T",
      "create T hash:ip family ipx", "create T hash:ip family", "create T hash:ip family inet maxelem",
      "create T hash:ip family inet wings", "add S 10.0.0.1/8", "add S 10.0.0.1-10.0.0.9", "add S fd00::1",
      "add S 10.0.0.1 nomatch", "add S 10.0.0.1 timeout", "add S 10.0.0.1 wings", "add N 10.0.0.0/33", "add N x",
      "add N \"10.0.0.1", "add N 10.0.0.0/8 comment \"open", "del N 10.0.0.0/8", "create N list:set size 8",
    ])
  func broken(line: String) {
    let error = #expect(throws: DumpError.self) {
      try readIpsetSave("create S hash:ip \(options)\ncreate N hash:net \(options)\n\n\(line)\n", file: "sets.txt")
    }
    #expect(error?.line == 4)
    #expect(error?.text == line)
    #expect(error?.description == "sets.txt:4: \(error?.problem ?? ""): \(line)")
  }
}
