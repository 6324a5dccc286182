// Not covered: packets (ServiceLBPacketTests).
import NetpolModel
import Rendering
import RuleIR
import ServiceProxy
import TestSupport
import Testing

@Suite("The rules of klipper-lb in a svclb pod") struct KlipperTests {
  private func forward(
    _ port: UInt16, ranges: [String] = ["0.0.0.0/0"], to addresses: [String], _ destination: UInt16
  ) -> PodForward {
    PodForward(
      TransportPort(.tcp, port), from: ranges.compactMap { CIDR($0) }, to: addresses.compactMap { IPAddress($0) },
      port: destination)
  }

  private func rules(_ forwards: [PodForward], _ family: IPFamily = .v4) throws -> [String] {
    try klipperTables(forwards, families: [family]).flatMap { table in
      try iptablesRestoreText(table).split(separator: "\n").filter { $0.hasPrefix("-A") }.map(String.init)
    }
  }

  /// As `iptables-save` printed them at the end of part 2 of packets.txt.
  @Test("they are those that the program wrote")
  func recorded() throws {
    #expect(
      try rules([forward(80, to: ["10.43.0.80"], 80)]) == [
        "-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A FORWARD -d 10.43.0.80/32 -p tcp -m tcp --dport 80 -j DROP",
        "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.43.0.80:80",
        "-A POSTROUTING -d 10.43.0.80/32 -p tcp -j MASQUERADE",
      ])
  }

  @Test("each family has its own ranges and destinations, and what is written last comes first")
  func several() throws {
    let forwards = [
      forward(80, ranges: ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"], to: ["10.43.0.80", "fd43::80"], 80),
      forward(443, to: ["192.168.20.11"], 30443),
    ]
    #expect(
      try rules(forwards) == [
        "-A FORWARD -p tcp -m tcp --dport 30443 -j ACCEPT",
        "-A FORWARD -s 192.168.0.0/16 -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A FORWARD -s 10.0.0.0/8 -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A FORWARD -d 10.43.0.80/32 -p tcp -m tcp --dport 80 -j DROP",
        "-A FORWARD -d 192.168.20.11/32 -p tcp -m tcp --dport 30443 -j DROP",
        "-A PREROUTING -p tcp -m tcp --dport 443 -j DNAT --to-destination 192.168.20.11:30443",
        "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.43.0.80:80",
        "-A POSTROUTING -d 192.168.20.11/32 -p tcp -j MASQUERADE",
        "-A POSTROUTING -d 10.43.0.80/32 -p tcp -j MASQUERADE",
      ])
    #expect(
      try rules(forwards, .v6) == [
        "-A FORWARD -s fd00::/8 -p tcp -m tcp --dport 80 -j ACCEPT",
        "-A FORWARD -d fd43::80/128 -p tcp -m tcp --dport 80 -j DROP",
        "-A PREROUTING -p tcp -m tcp --dport 80 -j DNAT --to-destination [fd43::80]:80",
        "-A POSTROUTING -d fd43::80/128 -p tcp -j MASQUERADE",
      ])
  }
}
