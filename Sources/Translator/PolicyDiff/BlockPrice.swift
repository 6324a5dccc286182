public import NetpolModel
internal import Oracle

/// What an ipBlock of the new policies costs because it holds addresses of pods: pods that no selector admits, and that
/// the old policies did not admit either.
public struct BlockPrice: Hashable, Sendable {
  public let policy: PolicyID
  public let location: SourceLocation?
  public let direction: Direction
  public let block: NetworkPolicy.IPBlock
  /// The ends that it admits.
  public let admitted: Bits
  /// The pods of the policy that admit them.
  public let subjects: Bits
}

/// Works out the price of each ipBlock.
struct BlockPrices {
  private struct Key: Hashable {
    let policy: PolicyID
    let direction: Direction
    let block: NetworkPolicy.IPBlock
  }

  private struct Found: Sendable {
    var admitted: Bits
    var subjects: Bits
    var location: SourceLocation?
  }

  /// By block: the pods with an address in it.
  private let holders: [NetworkPolicy.IPBlock: Bits]
  private let space: DiffSpace
  private let cluster: Cluster
  private let oracle: Oracle

  init(_ clusters: ComparedClusters, _ space: DiffSpace) {
    self.space = space
    cluster = clusters.new
    oracle = Oracle(clusters.new)
    var holders: [NetworkPolicy.IPBlock: Bits] = [:]
    for peer in cluster.policies.flatMap({ $0.ingress + $0.egress }).flatMap(\.peers.list) {
      guard case .block(let block) = peer, holders[block] == nil else { continue }
      holders[block] = Bits(
        space.pods.numbers.filter { block.contains(space.ends[$0].new) }, count: space.ends.count)
    }
    self.holders = holders.filter { !$0.value.isEmpty }
  }

  func all(old: OracleMatrix, new: OracleMatrix, ends: [Flow.End]) -> [BlockPrice] {
    if holders.isEmpty { return [] }
    let selecting = OracleMatrix(Oracle(cluster.withoutBlocks), ends: ends)
    let pods = Dictionary(cluster.pods.map { ($0.id, $0) }) { first, _ in first }
    let (space, holders, oracle) = (space, holders, oracle)
    let found = concurrentMap(space.questions.count) { number -> [Key: Found] in
      let question = space.questions[number]
      let (before, after, bySelectors) = (
        old.answers(to: question), new.answers(to: question), selecting.answers(to: question)
      )
      var prices: [Key: Found] = [:]
      for subject in space.pods.numbers {
        guard case .pod(let id) = space.ends[subject].endpoint, let pod = pods[id] else { continue }
        for direction in Direction.allCases where new.isolation(of: subject, direction) >= 0 {
          var gained = after.peers(of: subject, direction)
          gained.subtract(before.peers(of: subject, direction))
          gained.subtract(bySelectors.peers(of: subject, direction))
          gained = space.disputed(gained.intersection(space.pods), with: subject, direction)
          if gained.isEmpty { continue }
          for policy in oracle.policies(isolating: pod, direction) {
            for rule in policy.rules(direction) {
              for case .block(let block) in rule.peers.list {
                guard var bits = holders[block]?.intersection(gained), !bits.isEmpty else { continue }
                bits.visit { peer in
                  let destination = ends[direction == .ingress ? subject : peer]
                  let flow = Flow(
                    from: destination.endpoint, destination.address, to: destination.endpoint, destination.address,
                    question)
                  if !oracle.admitsPort(rule.ports, flow) { bits.remove(peer) }
                }
                if bits.isEmpty { continue }
                let key = Key(policy: policy.id, direction: direction, block: block)
                let none = Bits(count: ends.count)
                let location = rule.location ?? policy.location
                prices[key, default: Found(admitted: none, subjects: none, location: location)].admitted.formUnion(bits)
                prices[key]?.subjects.insert(subject)
              }
            }
          }
        }
      }
      return prices
    }
    var total: [Key: Found] = [:]
    for prices in found {
      total.merge(prices) { a, b in
        Found(
          admitted: a.admitted.union(b.admitted), subjects: a.subjects.union(b.subjects), location: a.location)
      }
    }
    return total.map { key, found in
      BlockPrice(
        policy: key.policy, location: found.location, direction: key.direction, block: key.block,
        admitted: found.admitted, subjects: found.subjects)
    }.sorted { ($0.policy, $0.direction.rawValue, $0.block.cidr) < ($1.policy, $1.direction.rawValue, $1.block.cidr) }
  }
}

extension Cluster {
  /// Its policies with only those peers that are selectors.
  fileprivate var withoutBlocks: Cluster {
    let selecting = { (rule: NetworkPolicy.Rule) -> NetworkPolicy.Rule? in
      guard case .listed(let peers) = rule.peers else { return rule }
      let kept = peers.filter { if case .pods = $0 { true } else { false } }
      if kept.isEmpty { return nil }
      var rule = rule
      rule.peers = .listed(kept)
      return rule
    }
    var cluster = self
    for index in cluster.policies.indices {
      cluster.policies[index].ingress = policies[index].ingress.compactMap(selecting)
      cluster.policies[index].egress = policies[index].egress.compactMap(selecting)
    }
    return cluster
  }
}
