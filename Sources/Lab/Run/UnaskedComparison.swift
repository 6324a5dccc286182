internal import Enforcement
package import EngineComparison
internal import Path
package import Verdicts

extension Comparer {
  /// What is known of a flow that is not sent. What isn't modelled has no answer. Rules say nothing about an address that nobody has: they may refuse it,
  /// but whether they would refuse its future owner is another question.
  package func compare(_ unasked: UnaskedFlow) -> Comparison {
    let finding: Comparison.Finding
    switch unasked.obstacle {
    case .noProbe, .noRoute: return compare(unasked.flow, nil)
    case .nobody(let why): finding = .noRoute(why)
    case .notModelled(let why): finding = .notModelled(why)
    }
    let nowhere = Journey(hops: [], end: .noRoute(unasked.why), stop: nil, steps: [], deciding: [])
    return Comparison(flow: unasked.flow, specified: nil, journey: nowhere, observation: nil, finding: finding)
  }
}
