import NetpolModel
import Path
import TestSupport
import Testing

@Suite("Addresses that belong to no object") struct AskedHostsTests {
  private static let objects = """
    \(twoNodesText("externalHosts: [{name: gw, addresses: [192.168.1.9], networks: [198.51.100.0/24]}]"))
    \(podText("app/web", on: "node1", status: "phase: Running, podIP: 10.42.0.7, podIPs: [{ip: 10.42.0.7}]"))
    \(podText("app/done", on: "node1", status: "phase: Succeeded, podIP: 10.77.0.7, podIPs: [{ip: 10.77.0.7}]"))
    apiVersion: v1
    kind: Service
    metadata: {namespace: app, name: front}
    spec: {type: LoadBalancer, clusterIP: 10.43.0.80, ports: [{port: 80}]}
    status: {loadBalancer: {ingress: [{ip: 192.168.20.200}]}}

    """

  private static func added(_ text: String, sending: Bool = false) throws -> [ExternalHost] {
    let address = try #require(IPAddress(text))
    let cluster = try readWorld(objects)
    let (larger, added) = cluster.addingHosts(sending: sending ? [address] : [], receiving: sending ? [] : [address])
    #expect(larger.externalHosts == cluster.externalHosts + added)
    return added
  }

  @Test(
    "an address that nobody inside can have becomes a host outside",
    arguments: ["8.8.8.8", "10.1.2.3", "10.77.0.7", "169.254.169.254", "192.168.20.99", "2001:db8::1"])
  func outside(address: String) throws {
    let host = try #require(try Self.added(address).first)
    #expect(host.name == address && host.addresses.map(\.description) == [address] && !host.routesToPods)
    #expect(try Self.added(address, sending: true).first?.routesToPods == true)
  }

  @Test(
    "an address becomes no host if it belongs to an object, is in a pod or service CIDR, or leads nowhere",
    arguments: [
      "10.42.0.7", "192.168.20.11", "192.168.1.9", "198.51.100.7", "10.43.0.80", "192.168.20.200",
      "10.42.0.1", "10.42.1.0", "10.42.0.99", "10.42.99.1", "10.43.9.9", "127.0.0.1", "127.1.2.3", "::1", "fe80::1",
      "0.0.0.0", "::", "224.0.0.251", "ff02::fb", "255.255.255.255", "::ffff:8.8.8.8", "169.254.1.1",
    ])
  func inside(address: String) throws {
    #expect(try Self.added(address).isEmpty)
  }

  @Test(
    "a free address of a node's pod CIDR is a stranger's, also that of a finished pod",
    arguments: [
      ("10.42.0.99", "node1"), ("10.42.1.7", "node2"), ("10.77.0.7", nil), ("10.42.0.7", nil), ("10.42.0.1", nil),
      ("10.42.0.0", nil), ("10.42.0.255", nil), ("10.42.99.1", nil), ("10.43.9.9", nil), ("8.8.8.8", nil),
    ])
  func strangers(address: String, node: String?) throws {
    let address = try #require(IPAddress(address))
    for sending in [true, false] {
      let larger = try readWorld(Self.objects).addingHosts(
        sending: sending ? [address] : [], receiving: sending ? [] : [address]
      ).cluster
      #expect(larger.strangers[address] == node)
      #expect(Topology(larger).pods[.stranger(address)]?.node == node)
      if node != nil { #expect(try ClusterNames(larger).endpoints(.address(address)) == [.address(address)]) }
    }
  }

  @Test(
    "nobody has a free address of a pod or service CIDR",
    arguments: [
      ("10.42.0.99", "no pod has 10.42.0.99"), ("10.42.99.1", "no pod has 10.42.99.1"),
      ("10.43.9.9", "no service has 10.43.9.9"), ("8.8.8.8", nil),
    ])
  func free(address: String, why: String?) throws {
    #expect(try readWorld(Self.objects).whyNobody(has: try #require(IPAddress(address))) == why)
  }
}
