internal import NetpolModel
internal import RuleIR

extension Evaluator {
  /// Every port range that a rule or a set of the family uses.
  func dividingPorts(_ family: IPFamily) -> [(transport: Transport, range: PortRange)] {
    var ranges: Set<Named> = []
    var questions: Set<KeyedQuestion> = []
    for rule in tables.lazy.filter({ $0.family == family }).flatMap(\.chains).flatMap(\.rules) {
      for match in rule.matches {
        switch match {
        case .ports(let transport, let list): for range in list { ranges.insert(Named(transport, range)) }
        case .keyed(let fields, let set): questions.insert(KeyedQuestion(fields: fields, set: set))
        default: break
        }
      }
      for statement in rule.statements {
        switch statement {
        case .setMarkFrom(let fields, let map), .verdictFrom(let fields, let map):
          questions.insert(KeyedQuestion(fields: fields, set: map))
        default: break
        }
      }
    }
    for question in questions where question.asksPort {
      for element in keyedSets[question.set].elements {
        guard let range = question.portRange(in: element) else { continue }
        for transport in question.transports(in: element) { ranges.insert(Named(transport, range)) }
      }
    }
    return ranges.map { ($0.transport, $0.range) }
  }
}

private struct Named: Hashable {
  let transport: Transport
  let range: PortRange
  init(_ transport: Transport, _ range: PortRange) {
    self.transport = transport
    self.range = range
  }
}
