// Not covered: replies of a host that others answer for.
import Kernel
import TestSupport
import Testing

@Suite("Echo requests", .needsNamespaces) struct PingTests {
  private func observe(
    _ family: AddressFamily, _ rule: String? = nil, timeout: Duration = ProbeLink.patience
  ) async throws -> ProbeOutcome {
    try await blocking {
      let link = try ProbeLink()
      if let rule { try link.filter(link.server, "input", rule) }
      return try link.observe(.ping, family, timeout: timeout)
    }
  }

  private func type(_ family: AddressFamily) -> String {
    family == .v4 ? "icmp type echo-request" : "icmpv6 type echo-request"
  }

  @Test("an echo request is answered by the destination itself", arguments: AddressFamily.allCases)
  func delivered(family: AddressFamily) async throws { #expect(try await observe(family) == .delivered) }

  @Test("a REJECT refuses an echo request", arguments: AddressFamily.allCases)
  func rejected(family: AddressFamily) async throws {
    let seen = try await observe(family, "\(type(family)) reject with icmpx type port-unreachable")
    #expect(seen == .refused(family == .v4 ? .icmp(type: 3, code: 3) : .icmp(type: 1, code: 4)))
  }

  @Test("an echo request is silent after a DROP", arguments: AddressFamily.allCases)
  func dropped(family: AddressFamily) async throws {
    let seen = try await observe(family, "\(type(family)) drop", timeout: ProbeLink.brief)
    #expect(seen == .silent(after: ProbeLink.brief))
  }

  @Test("rules for TCP and UDP don't affect an echo request", arguments: AddressFamily.allCases)
  func beside(family: AddressFamily) async throws {
    #expect(try await observe(family, "meta l4proto { tcp, udp } drop") == .delivered)
  }
}
