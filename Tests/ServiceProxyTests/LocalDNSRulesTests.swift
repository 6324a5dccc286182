// Not covered: the node cache's own nftables mode.
import NetpolModel
import Rendering
import RuleIR
import ServiceProxy
import Testing

@Suite("The rules of NodeLocal DNS") struct LocalDNSRulesTests {
  @Test("queries and answers are not tracked, and are let in and out; each rule was put in front of the earlier ones")
  func rules() throws {
    let address = try #require(IPAddress("169.254.20.10"))
    let skip = "-m comment --comment \"NodeLocal DNS Cache: skip conntrack\""
    let allow = "-m comment --comment \"NodeLocal DNS Cache: allow DNS traffic\""
    let lines = try localDNSTables([address]).flatMap { table in
      try iptablesRestoreText(table).split(separator: "\n").filter { $0.hasPrefix("-A") }.map { "\(table.name) \($0)" }
    }
    #expect(
      lines == [
        "raw -A PREROUTING -d 169.254.20.10/32 -p udp \(skip) -m udp --dport 53 -j CT --notrack",
        "raw -A PREROUTING -d 169.254.20.10/32 -p tcp \(skip) -m tcp --dport 53 -j CT --notrack",
        "raw -A OUTPUT -s 169.254.20.10/32 -p tcp \(skip) -m tcp --sport 8080 -j CT --notrack",
        "raw -A OUTPUT -d 169.254.20.10/32 -p tcp \(skip) -m tcp --dport 8080 -j CT --notrack",
        "raw -A OUTPUT -d 169.254.20.10/32 -p udp \(skip) -m udp --dport 53 -j CT --notrack",
        "raw -A OUTPUT -d 169.254.20.10/32 -p tcp \(skip) -m tcp --dport 53 -j CT --notrack",
        "raw -A OUTPUT -s 169.254.20.10/32 -p udp \(skip) -m udp --sport 53 -j CT --notrack",
        "raw -A OUTPUT -s 169.254.20.10/32 -p tcp \(skip) -m tcp --sport 53 -j CT --notrack",
        "filter -A INPUT -d 169.254.20.10/32 -p udp \(allow) -m udp --dport 53 -j ACCEPT",
        "filter -A INPUT -d 169.254.20.10/32 -p tcp \(allow) -m tcp --dport 53 -j ACCEPT",
        "filter -A OUTPUT -s 169.254.20.10/32 -p udp \(allow) -m udp --sport 53 -j ACCEPT",
        "filter -A OUTPUT -s 169.254.20.10/32 -p tcp \(allow) -m tcp --sport 53 -j ACCEPT",
      ])
    #expect(localDNSTables([]).isEmpty)
  }
}
