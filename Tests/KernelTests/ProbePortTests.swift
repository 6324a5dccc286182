// Covers how source ports are counted. Needs no namespaces. Not covered: what the kernel does with a port.
import Testing

@testable import Kernel

@Suite struct ProbePortTests {
  private let size = ProbePorts.range.count
  private let here: NetworkNamespace
  private let there: NetworkNamespace

  init() throws {
    here = try .ofCallingThread()
    there = try .ofCallingThread()
  }

  @Test(arguments: [ProbeTransport.udp, .sctp]) func aPortIsGivenOnce(transport: ProbeTransport) {
    var ports = ProbePorts()
    let given = (0...size).map { _ in ports.next(in: here, transport) }
    #expect(Set(given.dropLast()) == Set(ProbePorts.range))
    #expect(given.last == .some(nil))
  }

  @Test func namespacesAndTransportsCountSeparately() {
    var ports = ProbePorts()
    let used = (0..<size).map { _ in ports.next(in: here, .udp) }
    let others = [ports.next(in: there, .udp), ports.next(in: here, .tcp), ports.next(in: here, .sctp)]
    #expect(!used.contains(nil) && !others.contains(nil))
  }

  @Test func tcpStartsOver() {
    var ports = ProbePorts()
    let given = (0...size).map { _ in ports.next(in: here, .tcp) }
    #expect(given.first == given.last)
    #expect(Set(given).count == size)
  }
}
