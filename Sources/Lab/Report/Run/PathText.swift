internal import Enforcement
internal import NetpolModel
internal import Path

extension PathStep {
  /// `node1 forward: policies see 10.42.0.2 -> 10.42.1.2:5432`
  var text: String {
    let way = "\(source) -> \(Self.text(destination, port))"
    let what =
      switch event {
      case .passed: "policies see \(way), passed"
      case .stopped: "policies see \(way), stopped"
      case .destinationTranslated(let address, let port): "\(way) is translated to \(Self.text(address, port))"
      case .masqueraded(let address): "\(way) leaves with source \(address)"
      }
    return "\(position): \(what)"
  }

  /// A ping has no port.
  private static func text(_ address: IPAddress, _ port: UInt16) -> String {
    port == 0 ? address.description : address.description(port: port)
  }

  var isTranslation: Bool {
    switch event {
    case .passed, .stopped: false
    case .destinationTranslated, .masqueraded: true
    }
  }
}

/// A step of the path in JSON. `nil` values are left out.
struct PathObject: Encodable {
  let node, hook, source, destination: String
  let port: UInt16
  let event: String
  /// The pod whose own network namespace it is, if it is not the node's.
  let pod: String?
  let newAddress: String?
  let newPort: UInt16?

  init(_ step: PathStep) {
    node = step.position.node
    pod = step.position.pod?.description
    hook = step.position.hook.rawValue
    source = step.source.description
    destination = step.destination.description
    port = step.port
    (event, newAddress, newPort) =
      switch step.event {
      case .passed: ("passed", nil, nil)
      case .stopped: ("stopped", nil, nil)
      case .destinationTranslated(let address, let port): ("destinationTranslated", address.description, port)
      case .masqueraded(let address): ("masqueraded", address.description, nil)
      }
  }
}
