public import NetpolModel

extension EnforcedCluster {
  /// Returns a verdict for each flow, in order. `nil` if no packet is sent that a rule could judge.
  ///
  /// The verdicts are those of `verdict(of:)`. The batch computes them where it can, so use this for whole matrices.
  public func verdicts(of flows: [Flow]) -> [Verdict?] {
    var verdicts = [Verdict?](repeating: nil, count: flows.count)
    for (family, places) in Dictionary(grouping: flows.indices, by: { flows[$0].family }) {
      var endpoints: [Endpoint] = []
      var numbers: [Endpoint: Int] = [:]
      for endpoint in places.flatMap({ [flows[$0].source, flows[$0].destination] }) where numbers[endpoint] == nil {
        numbers[endpoint] = endpoints.count
        endpoints.append(endpoint)
      }
      var batch = EnforcedBatch(self, family, endpoints: endpoints)
      for place in places {
        let flow = flows[place]
        // A batch does not support echo requests, and uses only one address per endpoint: its default.
        if let port = flow.transportPort, let source = numbers[flow.source],
          let destination = numbers[flow.destination],
          case let numbered = NumberedFlow(from: source, to: destination, port.transport, port.port),
          batch.flow(numbered) == flow
        {
          verdicts[place] = batch.verdict(of: numbered)
        } else {
          verdicts[place] = verdict(of: flow)
        }
      }
    }
    return verdicts
  }
}
