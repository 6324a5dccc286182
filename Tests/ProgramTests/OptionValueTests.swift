// Not covered: how the program reports a value that it can't read. ProgramTests does.
import ArgumentParser
import Lag
import Lowering
import NetpolModel
import Testing

@testable import netpol_lab

@Suite("Values of options") struct OptionValueTests {
  private struct Number: Bounded {
    static let range = 1...10
    let value: Int
  }

  @Test(
    "a bounded number lies within its range", arguments: [("1", 1), ("10", 10), ("0", nil), ("11", nil), ("x", nil)])
  func bounded(text: String, value: Int?) {
    #expect(Number(argument: text)?.value == value)
  }

  @Test(
    "a time reads back from its text",
    arguments: [
      ("50us", "50us"), ("1500us", "1500us"), ("10ms", "10ms"), ("60s", "1m"), ("3600s", "1h"), ("1.5s", "1500ms"),
    ])
  func time(text: String, written: String) throws {
    let time = try #require(Duration(optionText: text))
    #expect(time.optionText == written)
    #expect(Duration(optionText: written) == time)
  }

  @Test(
    "a comma list has at least one value, and no other",
    arguments: [("1,2", [1, 2]), ("3", [3]), ("", nil), (",", nil), ("1,x", nil), ("1,11", nil)])
  func list(text: String, values: [Int]?) {
    #expect(CommaList<Number>(argument: text)?.elements.map(\.value) == values)
  }

  @Test(
    "a port is a number, with or without its transport, a ping, or a name",
    arguments: [
      ("80", .question(.port(TransportPort(.tcp, 80)))), ("TCP/80", .question(.port(TransportPort(.tcp, 80)))),
      ("80/udp", .question(.port(TransportPort(.udp, 80)))), ("sctp/9", .question(.port(TransportPort(.sctp, 9)))),
      ("ICMP", .question(.echo)), ("icmp", .question(.echo)), ("http", .name("http")), ("dns-tcp", .name("dns-tcp")),
      ("8080-tcp", .name("8080-tcp")), ("0", nil), ("65536", nil), ("80/81", nil), ("TCP", nil), ("TCP/UDP", nil),
      ("TCP/80/x", nil), ("/80", nil), ("80/", nil), ("", nil), ("ICMP/1", nil), ("-http", nil), ("http-", nil),
      ("80-90", nil), ("http/x", nil), ("Http", nil),
    ] as [(String, AskedPort?)])
  func port(text: String, port: AskedPort?) {
    #expect((try? AskedPort(optionText: text)) == port)
  }

  @Test(
    "a port range has its lower port first",
    arguments: [("1-2", true), ("30000:32767", true), ("2-1", false), ("0-2", false), ("1", false)])
  func portRange(text: String, isRange: Bool) {
    #expect((PortRange(argument: text) != nil) == isRange)
  }

  @Test(
    "a delay of the API is fixed, from a range, or exponential",
    arguments: [
      ("200ms", .constant(.milliseconds(200))), ("100ms..2s", .uniform(.milliseconds(100)...(.seconds(2)))),
      ("~300ms", .exponential(mean: .milliseconds(300))), ("2s..1s", nil), ("100ms..", nil), ("61s", nil), ("~", nil),
    ] as [(String, APIDelay?)])
  func delay(text: String, delay: APIDelay?) {
    #expect(APIDelay(argument: text) == delay)
  }

  @Test("every style has an option value of its own") func styles() {
    for style in EnforcementStyle.all { #expect(EnforcementStyle(argument: style.name)?.name == style.name) }
    #expect(EnforcementStyle(argument: "calico") == nil)
    #expect(IPFamily.allValueStrings == ["ipv4", "ipv6"])
  }

  @Test(
    "a group is an IPv4 multicast address",
    arguments: [("224.0.0.251", true), ("10.0.0.1", false), ("ff02::fb", false)])
  func group(text: String, isGroup: Bool) {
    #expect((MulticastGroup(argument: text) != nil) == isGroup)
  }

  @Test("commands need no option") func commands() throws {
    #expect(throws: Never.self) { try NetpolLab.parseAsRoot(["lag"]) }
    #expect(throws: Never.self) { try NetpolLab.parseAsRoot(["bench", "--pods", "10"]) }
    #expect(throws: Never.self) { try NetpolLab.parseAsRoot(["fuzz"]) }
  }
}
