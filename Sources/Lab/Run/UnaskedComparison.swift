internal import Enforcement
package import EngineComparison
internal import NetpolModel
internal import Path
package import Verdicts

extension Comparer {
  /// What is known of a flow that is not sent. What isn't modelled has no answer. Rules say nothing about an address that nobody has: they may refuse it,
  /// but whether they would refuse its future owner is another question.
  package func compare(_ unasked: UnaskedFlow) -> Comparison {
    let finding: Comparison.Finding
    let end: Walk.End
    switch unasked.obstacle {
    case .noProbe: return compare(unasked.flow, nil)
    case .noRoute(let why):
      let known = compare(unasked.flow, nil)
      guard case .noRoute = known.finding else { return known }
      return Comparison(
        flow: known.flow, specified: known.specified, journey: known.journey, observation: nil, finding: .noRoute(why))
    case .nobody(let why):
      finding = .noRoute(why)
      end = .noRoute(why)
    case .notModelled(let why):
      finding = .notModelled(why)
      end = .noRoute(.nobody(unasked.flow.destinationAddress, why: unasked.why))
    }
    let nowhere = Journey(hops: [], end: end, stop: nil, steps: [], deciding: [])
    return Comparison(flow: unasked.flow, specified: nil, journey: nowhere, observation: nil, finding: finding)
  }
}
