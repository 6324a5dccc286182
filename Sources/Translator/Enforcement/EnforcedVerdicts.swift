public import NetpolModel
internal import OrderedCollections

extension EnforcedCluster {
  /// Returns a verdict for each flow, in order. `nil` if no packet is sent that a rule could judge.
  ///
  /// The verdicts are those of `verdict(of:)`. The batch computes them where it can, so use this for whole matrices.
  public func verdicts(of flows: [Flow]) -> [Verdict?] {
    var verdicts = [Verdict?](repeating: nil, count: flows.count)
    for (family, places) in Dictionary(grouping: flows.indices, by: { flows[$0].family }) {
      let endpoints = OrderedSet(places.flatMap { [flows[$0].source, flows[$0].destination] })
      var batch = EnforcedBatch(self, family, endpoints: endpoints.elements)
      for place in places {
        let flow = flows[place]
        // A batch does not support echo requests, and uses only one address per endpoint: its default.
        if let port = flow.transportPort, let source = endpoints.firstIndex(of: flow.source),
          let destination = endpoints.firstIndex(of: flow.destination),
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
