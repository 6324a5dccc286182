// Covers one tunnel between two namespaces. Not covered: routing between nodes; OverlayTests (NetworkTests) covers it.
import Glibc
import Kernel
import TestSupport
import Testing

private let hasIP = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"].contains { access("\($0)/ip", X_OK) == 0 }

@Suite(.needsNamespaces) struct VXLANTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func text(_ address: [UInt8]) -> String {
    address.count == 4 ? address.map(String.init).joined(separator: ".") : "2001:db8::\(address[15])"
  }

  private static let six: [UInt8] = [0x20, 1, 0xd, 0xb8] + [UInt8](repeating: 0, count: 12)
  private static func outer(_ family: AddressFamily, _ host: UInt8) -> [UInt8] {
    family == .v4 ? [192, 0, 2, host] : six.dropLast() + [host]
  }

  private func link(_ family: AddressFamily, host: UInt8, lower: Int32) -> VXLANLink {
    VXLANLink(
      "flannel.1", index: 4, mac: [2, 0, 0, 0, 4, host], identifier: 1, local: Self.outer(family, host), lower: lower,
      mtu: 1500 - VXLANLink.overhead(family))
  }

  @Test("ip and bridge list a tunnel and its forwarding entry as requested", .enabled(if: hasIP, "needs iproute2"))
  func listed() throws {
    for family in AddressFamily.allCases {
      let sandbox = try Sandbox()
      let far = try sandbox.worker.makeNamespace()
      var batch = RouteBatch()
      batch.createVeth(VethEnd("eth0", index: 2), peer: VethEnd("eth0", index: 2), in: far)
      batch.bringUp(2)
      batch.createVXLAN(link(family, host: 1, lower: 2))
      batch.bringUp(4)
      batch.addForwarding(to: [2, 0, 0, 0, 4, 2], remote: Self.outer(family, 2), dev: 4)
      try sandbox.send(batch)
      let listed = try sandbox.output(of: "ip", "-d", "-o", "link", "show", "dev", "flannel.1")
      for words in [
        "mtu \(family == .v4 ? 1450 : 1430) ", "link/ether 02:00:00:00:04:01",
        "vxlan id 1 local \(text(Self.outer(family, 1))) dev eth0", "dstport 8472 nolearning",
      ] {
        #expect(listed.contains(words), "\(words): \(listed)")
      }
      #expect(
        try sandbox.output(of: "bridge", "fdb", "show", "dev", "flannel.1").contains(
          "02:00:00:00:04:02 dst \(text(Self.outer(family, 2))) self permanent"))
      withExtendedLifetime(far) {}
    }
  }

  @Test(
    "datagrams up to the MTU pass between the ends, with any family outside and inside", arguments: [false, true])
  func crosses(innerIsSix: Bool) throws {
    for family in AddressFamily.allCases {
      let sandbox = try Sandbox()
      let far = try sandbox.worker.makeNamespace()
      let inner = { (host: UInt8) -> [UInt8] in
        innerIsSix ? [0xfd] + [UInt8](repeating: 0, count: 14) + [host] : [10, 42, host, 0]
      }
      var cable = RouteBatch()
      cable.createVeth(VethEnd("eth0", index: 2), peer: VethEnd("eth0", index: 2), in: far)
      try sandbox.send(cable)
      for (namespace, own, other) in [(sandbox.namespace, 1, 2), (far, 2, 1)] as [(NetworkNamespace, UInt8, UInt8)] {
        var batch = RouteBatch()
        batch.addAddress(Self.outer(family, own), prefix: family == .v4 ? 24 : 64, to: 2)
        batch.bringUp(2)
        batch.createVXLAN(link(family, host: own, lower: 2))
        batch.addAddress(inner(own), prefix: innerIsSix ? 128 : 32, to: 4)
        batch.bringUp(4)
        batch.addNeighbour(inner(other), mac: [2, 0, 0, 0, 4, other], dev: 4)
        batch.addForwarding(to: [2, 0, 0, 0, 4, other], remote: Self.outer(family, other), dev: 4)
        batch.addRoute(
          to: RouteDestination(inner(other), prefix: innerIsSix ? 128 : 32), via: inner(other), dev: 4, onlink: true)
        try sandbox.send(batch, in: namespace)
      }
      let receiver = try UDPSocket(on: inner(2), port: 9000, in: far, of: sandbox.worker)
      let sender = try UDPSocket(on: inner(1), in: sandbox.namespace, of: sandbox.worker)
      for length in [5, 1500 - Int(VXLANLink.overhead(family)) - (innerIsSix ? 48 : 28)] {
        let text = String(repeating: "x", count: length)
        // The first one may be lost while links come up.
        let arrived = (1...3).contains { _ in
          sender.send(text, to: inner(2), port: 9000) && receiver.receive() == text
        }
        #expect(arrived, "\(family) \(length)")
      }
    }
  }

  @Test("bridges and both ends of a veth pair have the requested MTU", .enabled(if: hasIP, "needs iproute2"))
  func mtu() throws {
    let pod = try sandbox.worker.makeNamespace()
    var batch = RouteBatch()
    batch.createBridge("cni0", index: 5, mtu: 1430)
    batch.createVeth(VethEnd("p1", index: 10), master: 5, peer: VethEnd("eth0", index: 2), in: pod, mtu: 1430)
    try sandbox.send(batch)
    #expect(try sandbox.output(of: "ip", "-o", "link", "show", "cni0").contains("mtu 1430"))
    #expect(try sandbox.output(of: "ip", "-o", "link", "show", "p1").contains("mtu 1430"))
    let far = try Command(["ip", "-o", "link", "show", "eth0"]).run(in: pod, on: sandbox.worker).requireSuccess().text
    #expect(far.contains("mtu 1430"))
  }

  @Test("a tunnel over a missing link is refused under its name")
  func refused() throws {
    var batch = RouteBatch()
    batch.createVXLAN(link(.v4, host: 1, lower: 77))
    #expect {
      try sandbox.send(batch)
    } throws: { error in
      (error as? KernelError)?.operation == "ip link add flannel.1 type vxlan id 1 local 192.0.2.1"
    }
  }
}
