internal import Enforcement
package import EngineComparison
internal import Path
package import Verdicts

extension Comparer {
  /// What is known of a flow that is not sent. Rules say nothing about an address that nobody has: they may refuse it,
  /// but whether they would refuse its future owner is another question.
  package func compare(_ unasked: UnaskedFlow) -> Comparison {
    guard case .nobody(let why) = unasked.obstacle else { return compare(unasked.flow, nil) }
    let nowhere = Journey(hops: [], end: .noRoute(why), stop: nil, steps: [], deciding: [])
    return Comparison(flow: unasked.flow, specified: nil, journey: nowhere, observation: nil, finding: .noRoute(why))
  }
}
