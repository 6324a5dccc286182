// Covers links that carry packets between namespaces. Not covered: routing between nodes, and load.
import Glibc
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces) struct RouteBatchTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  /// A namespace with `eth0` (index 2), whose other end is `name` in the sandbox.
  private func pod(
    _ name: String, index: Int32, master: Int32? = nil, _ addresses: [([UInt8], UInt8)]
  ) throws -> NetworkNamespace {
    let pod = try sandbox.worker.makeNamespace()
    var near = RouteBatch()
    near.createVeth(
      VethEnd(name, index: index), master: master, peer: VethEnd("eth0", index: 2, mac: [2, 0, 0, 0, 0, UInt8(index)]),
      in: pod)
    near.bringUp(index)
    try sandbox.send(near)
    var far = RouteBatch()
    far.bringUp(1)
    far.bringUp(2)
    for (address, prefix) in addresses { far.addAddress(address, prefix: prefix, to: 2) }
    try sandbox.send(far, in: pod)
    return pod
  }

  @Test func aDatagramCrossesAVethPair() throws {
    let pod = try pod("p1", index: 10, [([10, 0, 0, 2], 24)])
    var batch = RouteBatch()
    batch.addAddress([10, 0, 0, 1], prefix: 24, to: 10)
    try sandbox.send(batch)
    let receiver = try UDPSocket(on: [10, 0, 0, 2], port: 9000, in: pod, of: sandbox.worker)
    let sender = try UDPSocket(on: [10, 0, 0, 1], in: sandbox.namespace, of: sandbox.worker)
    #expect(sender.send("hello", to: [10, 0, 0, 2], port: 9000))
    #expect(receiver.receive() == "hello")
  }

  @Test func twoPodsMeetOnABridge() throws {
    var batch = RouteBatch()
    batch.createBridge("cni0", index: 5, mac: [2, 0, 0, 0, 9, 9])
    batch.bringUp(5)
    try sandbox.send(batch)
    let first = try pod("p1", index: 11, master: 5, [([10, 42, 0, 2], 24)])
    let second = try pod("p2", index: 12, master: 5, [([10, 42, 0, 3], 24)])
    let receiver = try UDPSocket(on: [10, 42, 0, 3], port: 9000, in: second, of: sandbox.worker)
    let sender = try UDPSocket(on: [10, 42, 0, 2], in: first, of: sandbox.worker)
    #expect(sender.send("over the bridge", to: [10, 42, 0, 3], port: 9000))
    #expect(receiver.receive() == "over the bridge")
    #expect(try sandbox.output(of: "ip", "-o", "link", "show", "cni0").contains("02:00:00:00:09:09"))
  }

  @Test func anIPv6AddressIsUsableAtOnce() throws {
    let here: [UInt8] = [0xfd] + [UInt8](repeating: 0, count: 14) + [1]
    let there: [UInt8] = [0xfd] + [UInt8](repeating: 0, count: 14) + [2]
    let pod = try pod("p1", index: 10, [(there, 64)])
    var batch = RouteBatch()
    batch.addAddress(here, prefix: 64, to: 10)
    try sandbox.send(batch)
    let receiver = try UDPSocket(on: there, port: 9000, in: pod, of: sandbox.worker)
    let sender = try UDPSocket(on: here, in: sandbox.namespace, of: sandbox.worker)
    #expect(sender.send("six", to: there, port: 9000))
    #expect(receiver.receive() == "six")
  }

  @Test func routesAndNeighboursAreAddedAsRequested() throws {
    // Kept to the end: the link is removed with its peer's namespace.
    let pod = try pod("p1", index: 10, [([10, 0, 0, 2], 24)])
    defer { withExtendedLifetime(pod) {} }
    var batch = RouteBatch()
    batch.addAddress([10, 0, 0, 1], prefix: 24, to: 10)
    batch.addAddress([169, 254, 1, 1], prefix: 32, to: 10, scope: .link)
    batch.addRoute(to: .all(.v4), via: [10, 0, 0, 2], dev: 10, source: [10, 0, 0, 1])
    batch.addRoute(to: RouteDestination([10, 42, 1, 0], prefix: 24), via: [192, 0, 2, 1], dev: 10, onlink: true)
    batch.addRoute(to: RouteDestination([10, 43, 0, 7], prefix: 32), dev: 10)
    batch.addRoute(to: .all(.v6), dev: 10)
    batch.addNeighbour([10, 0, 0, 9], mac: [2, 0, 0, 0, 0, 9], dev: 10)
    #expect(batch.count == 7)
    try sandbox.send(batch)
    let routes = try sandbox.output(of: "ip", "route")
    #expect(routes.contains("default via 10.0.0.2 dev p1 proto static src 10.0.0.1"))
    #expect(routes.contains("10.42.1.0/24 via 192.0.2.1 dev p1 proto static onlink"))
    #expect(routes.contains("10.43.0.7 dev p1 proto static scope link"))
    #expect(try sandbox.output(of: "ip", "-6", "route").contains("default dev p1 proto static"))
    #expect(try sandbox.output(of: "ip", "neigh").contains("10.0.0.9 dev p1 lladdr 02:00:00:00:00:09 PERMANENT"))
    #expect(try sandbox.output(of: "ip", "addr", "show", "dev", "p1").contains("169.254.1.1/32 scope link"))
  }

  @Test func theFailingRequestOfABatchIsNamed() throws {
    var batch = RouteBatch()
    batch.createBridge("br0", index: 5)
    batch.bringUp(5)
    batch.setMaster(99, of: 5)
    batch.addAddress([10, 0, 0, 1], prefix: 24, to: 5)
    #expect {
      try sandbox.send(batch)
    } throws: { error in
      let error = error as? KernelError
      return error?.operation == "ip link set dev 5 master 99" && error?.code == EINVAL
    }
  }

  @Test func theKernelsErrorMessageIsKept() throws {
    var batch = RouteBatch()
    batch.addRoute(to: RouteDestination([10, 0, 0, 0], prefix: 8), via: [192, 0, 2, 1], dev: 1)
    #expect {
      try sandbox.send(batch)
    } throws: { error in
      let error = error as? KernelError
      return error?.operation == "ip route add 10.0.0.0/8 via 192.0.2.1 dev 1" && error?.message != nil
    }
  }

  @Test func aBatchMayNeedManyDatagrams() throws {
    var batch = RouteBatch()
    batch.createBridge("br0", index: 5)
    for index in 0..<4000 {
      let address: [UInt8] = [10, 9, UInt8(index >> 8), UInt8(index & 255)]
      batch.addAddress(address, prefix: 32, to: 5)
    }
    try sandbox.send(batch)
    let addresses = try sandbox.output(of: "ip", "-o", "addr", "show", "dev", "br0")
    #expect(addresses.split(separator: "\n").count == 4000)
  }

  @Test func aBatchKeepsItsNamespacesAlive() throws {
    var batch = RouteBatch()
    batch.createVeth(VethEnd("p1", index: 10), peer: VethEnd("eth0", index: 2), in: try sandbox.worker.makeNamespace())
    try sandbox.send(batch)
    #expect(try sandbox.output(of: "ip", "-o", "link").contains("p1@if2"))
    withExtendedLifetime(batch) {}
  }

  @Test("an end that is up waits until the far end is up too, and then passes packets")
  func vethsAreReady() throws {
    let far = try sandbox.worker.makeNamespace()
    var near = RouteBatch()
    near.createVeth(VethEnd("p1", index: 10), peer: VethEnd("eth0", index: 2), in: far)
    try sandbox.send(near)
    let wait = { (seconds: Int) in
      try sandbox.worker.run(in: sandbox.namespace) { try NetlinkSocket(.route).waitForVeths(atMost: seconds) }
    }
    try wait(0)
    var up = RouteBatch()
    up.bringUp(10)
    try sandbox.send(up)
    #expect {
      try wait(0)
    } throws: {
      ($0 as? KernelError)?.code == ETIMEDOUT
    }
    up = RouteBatch()
    up.bringUp(2)
    try sandbox.send(up, in: far)
    try wait(30)
    try wait(0)
  }

  @Test func deletingALinkDeletesItsPeer() throws {
    let pod = try pod("p1", index: 10, [])
    var batch = RouteBatch()
    batch.deleteLink(10)
    try sandbox.send(batch)
    let links = try Command(["ip", "-o", "link"]).run(in: pod, on: sandbox.worker).requireSuccess().text
    #expect(!links.contains("eth0"))
  }
}
