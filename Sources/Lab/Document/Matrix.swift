package import NetpolModel

/// The verdicts of a run as grids. Ports with equal columns share a grid, and endpoints with equal rows and columns
/// share a line.
package struct Matrix {
  package struct Grid {
    package let family: IPFamily
    /// Ports asked at every column.
    package var ports: [Flow.Question]
    /// Ports asked at some columns only, where they agree with the rest of the grid.
    package var portsAtSome: [(port: Flow.Question, destinations: [Endpoint])]
    /// For each destination, by its number, the symbols of all sources.
    package var columns: [Int: [Symbol]]
  }

  package let endpoints: [Endpoint]
  package let grids: [Grid]

  package init(endpoints: [Endpoint], cells: [(flow: Flow, symbol: Symbol)]) {
    self.endpoints = endpoints
    let number = Dictionary(endpoints.enumerated().map { ($1, $0) }) { first, _ in first }
    var byPort: [Key: [Int: [Symbol]]] = [:]
    for (flow, symbol) in cells {
      guard let from = number[flow.source], let to = number[flow.destination] else { continue }
      let key = Key(family: flow.family, port: flow.question)
      byPort[key, default: [:]][to, default: Array(repeating: .nothing, count: endpoints.count)][from] = symbol
    }
    var grids: [Grid] = []
    // Ports asked everywhere come first. The others join a grid with the same answers, if there is one.
    for (key, columns) in byPort.sorted(by: { ($1.value.count, $0.key) < ($0.value.count, $1.key) }) {
      // Among several grids with the same answers where the port is asked, take the one with the most ports.
      let fitting = grids.indices.filter { index in
        grids[index].family == key.family && columns.allSatisfy { grids[index].columns[$0.key] == $0.value }
      }.max { grids[$0].ports.count < grids[$1].ports.count }
      if let fitting, grids[fitting].columns.count == columns.count {
        grids[fitting].ports.append(key.port)
      } else if let fitting {
        grids[fitting].portsAtSome.append((key.port, columns.keys.sorted().map { endpoints[$0] }))
      } else {
        grids.append(Grid(family: key.family, ports: [key.port], portsAtSome: [], columns: columns))
      }
    }
    self.grids = grids.sorted { ($0.family, $1.ports.count) < ($1.family, $0.ports.count) }
  }

  private struct Key: Hashable, Comparable {
    let family: IPFamily
    let port: Flow.Question
    static func < (a: Key, b: Key) -> Bool { (a.family, a.port) < (b.family, b.port) }
  }
}

extension Matrix.Grid {
  /// Endpoints that are interchangeable in this grid: swapping two of a group changes nothing.
  package func groups(count: Int) -> [[Int]] {
    let at = { (from: Int, to: Int) in columns[to]?[from] ?? .nothing }
    var groups: [[Int]] = []
    for endpoint in 0..<count {
      let fitting = groups.firstIndex { group in
        let other = group[0]
        let mutual = at(endpoint, other)
        guard mutual == at(other, endpoint), columns[endpoint] == nil || columns[other] != nil else { return false }
        if group.count > 1, mutual != at(group[0], group[1]) { return false }
        // What they say of themselves is shown in the same place as what they say of each other.
        let own = at(endpoint, endpoint)
        guard own == at(other, other), own == .nothing || own == mutual else { return false }
        let areAlikeToOthers = columns.keys.allSatisfy { third in
          third == endpoint || third == other || at(endpoint, third) == at(other, third)
        }
        // Nobody is asked about an end without a column.
        let isAsked = columns[endpoint] != nil || columns[other] != nil
        return areAlikeToOthers
          && (!isAsked
            || (0..<count).allSatisfy { third in
              third == endpoint || third == other || at(third, endpoint) == at(third, other)
            })
      }
      if let fitting { groups[fitting].append(endpoint) } else { groups.append([endpoint]) }
    }
    return groups
  }

  /// The symbol between two groups. Within one group, the symbol among its members, or of its only one to itself.
  package func symbol(from: [Int], to: [Int]) -> Matrix.Symbol {
    for source in from {
      for destination in to where source != destination || from.count == 1 {
        if let symbol = columns[destination]?[source] { return symbol }
      }
    }
    return .nothing
  }
}
