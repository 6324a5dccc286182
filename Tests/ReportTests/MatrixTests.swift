// Not covered: the verdicts themselves.
import NetpolModel
import Testing
import Text

@testable import Documents
@testable import Report

@Suite("Grids of a run") struct MatrixTests {
  private let names = ["a", "b", "c", "d"]
  private var endpoints: [Endpoint] { names.map { .pod(PodID("ns", $0)) } }

  /// One cell for each pair and port; `deny` lists `from>to:port`.
  private func matrix(ports: [UInt16], deny: Set<String>, at: [UInt16: [String]] = [:]) -> Matrix {
    var cells: [(flow: Flow, symbol: Matrix.Symbol)] = []
    for port in ports {
      for to in names where at[port].map({ $0.contains(to) }) ?? true {
        for from in names where from != to {
          let address = IPAddress(v4: 1)
          let flow = Flow(
            from: .pod(PodID("ns", from)), address, to: .pod(PodID("ns", to)), address, .tcp, port)
          cells.append((flow, deny.contains("\(from)>\(to):\(port)") ? .denied : .allowed))
        }
      }
    }
    return Matrix(endpoints: endpoints, cells: cells)
  }

  @Test("ports with equal columns share a grid, and one different cell makes two grids")
  func grids() {
    #expect(matrix(ports: [80, 81], deny: []).grids.map(\.ports.count) == [2])
    let two = matrix(ports: [80, 81], deny: ["a>b:81"])
    #expect(two.grids.map { $0.ports.map(\.description) } == [["TCP/80"], ["TCP/81"]])
  }

  @Test("a port asked at some columns only joins a grid that is the same there, or has its own")
  func portsAtSome() {
    let joins = matrix(ports: [80, 9000], deny: ["a>b:80", "a>b:9000"], at: [9000: ["b"]])
    #expect(joins.grids.count == 1)
    #expect(joins.grids[0].portsAtSome.map(\.port.description) == ["TCP/9000"])
    #expect(joins.grids[0].portsAtSome[0].destinations == [.pod(PodID("ns", "b"))])
    #expect(matrix(ports: [80, 9000], deny: ["a>b:80"], at: [9000: ["b"]]).grids.count == 2)
  }

  @Test("what an endpoint says of itself is shown, alone or in a group that says the same of each other")
  func itself() {
    let address = IPAddress(v4: 1)
    let flow = { (from: Int, to: Int) in
      Flow(from: endpoints[from], address, to: endpoints[to], address, .tcp, 80)
    }
    let grid = { (cells: [(Int, Int, Matrix.Symbol)]) in
      Matrix(endpoints: endpoints, cells: cells.map { (flow($0, $1), $2) }).grids[0]
    }
    let alone = grid([(0, 0, .allowed), (1, 0, .denied)])
    #expect(alone.symbol(from: [0], to: [0]) == .allowed && alone.symbol(from: [1], to: [0]) == .denied)
    let mutual = [(0, 1, Matrix.Symbol.denied), (1, 0, .denied)]
    #expect(grid(mutual + [(0, 0, .denied), (1, 1, .denied)]).groups(count: 2) == [[0, 1]])
    #expect(grid(mutual + [(0, 0, .allowed), (1, 1, .allowed)]).groups(count: 2) == [[0], [1]])
  }

  @Test("a ping has a grid like a port") func ping() {
    let address = IPAddress(v4: 1)
    let flow = Flow(from: endpoints[0], address, to: endpoints[1], address, .echo)
    let grids = Matrix(endpoints: endpoints, cells: [(flow, .allowed)]).grids
    #expect(grids.map(\.ports) == [[.echo]])
  }

  @Test("endpoints with equal rows and columns form a group, and no group hides a different verdict")
  func groups() {
    for deny: Set<String> in [
      [], ["a>b:80"], ["a>b:80", "b>a:80"], ["a>c:80", "b>c:80"], ["a>c:80", "b>c:80", "a>d:80"],
      ["a>b:80", "b>a:80", "c>d:80", "d>c:80"], ["a>b:80", "a>c:80", "a>d:80", "b>a:80", "c>a:80", "d>a:80"],
    ] {
      let grid = matrix(ports: [80], deny: deny).grids[0]
      let groups = grid.groups(count: names.count)
      #expect(Set(groups.joined()) == Set(names.indices))
      for from in groups {
        for to in groups {
          let shown = grid.symbol(from: from, to: to)
          for source in from {
            for destination in to where source != destination {
              let expected: Matrix.Symbol =
                deny.contains("\(names[source])>\(names[destination]):80") ? .denied : .allowed
              #expect(shown == expected, "\(deny) \(source) \(destination)")
            }
          }
        }
      }
    }
    #expect(matrix(ports: [80], deny: []).grids[0].groups(count: 4) == [[0, 1, 2, 3]])
    #expect(matrix(ports: [80], deny: ["a>c:80", "b>c:80"]).grids[0].groups(count: 4) == [[0, 1], [2], [3]])
  }

  @Test("names of one namespace are grouped, and long lines are broken between words")
  func texts() {
    #expect(namesText([.pod(PodID("m", "a")), .node("n1"), .pod(PodID("m", "b"))]) == "m/{a,b} node/n1")
    #expect(wrapped("aa bb cc", width: 5) == ["aa bb", "cc"])
    let ports = [TransportPort(.udp, 53), TransportPort(.tcp, 80), TransportPort(.tcp, 53)]
    #expect(portsText([.echo] + ports.map(Flow.Question.port)) == "TCP 53 80  UDP 53  ICMP")
  }
}
