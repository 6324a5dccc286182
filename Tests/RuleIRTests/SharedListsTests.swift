import Algorithms
import NetpolModel
import RuleIR
import Statistics
import Testing

@Suite("Address lists that named ports share by chance") struct SharedListsTests {
  private typealias Holder = SharedLists.Holder

  /// Pods whose addresses end in their number, with these ports.
  private static func holders(_ keys: [Set<Int>]) -> [Holder] {
    keys.enumerated().map { number, keys in
      Holder(addresses: [IPAddress(v4: 0x0a2a_0000 + UInt32(number))], keys: keys)
    }
  }

  private static func lists(_ stages: [[Holder]]) -> SharedLists {
    var lists = SharedLists(stages: stages)
    for key in Set(stages.joined().flatMap(\.keys)) {
      lists.sets[SetPlace(set: "\(key)", family: .v4)] = key
    }
    return lists
  }

  /// What kube-router does with the pods in this order: ports that are first seen on one pod share a list, and each later
  /// pod is added to the lists of its ports.
  private static func members(_ pods: [Holder]) -> [SetPlace: Set<IPAddress>] {
    var listOf: [Int: Int] = [:]
    var lists: [Set<IPAddress>] = []
    for pod in pods {
      var own: Int?
      for key in pod.keys {
        if let list = listOf[key] {
          lists[list].formUnion(pod.addresses)
        } else {
          if own == nil { lists.append(Set(pod.addresses)) }
          own = lists.count - 1
          listOf[key] = own
        }
      }
    }
    return Dictionary(uniqueKeysWithValues: listOf.map { (.init(set: "\($0)", family: .v4), lists[$1]) })
  }

  /// What every order of the pods gives, peer by peer.
  private static func outcomes(_ stages: [[Holder]]) -> Set<[SetPlace: Set<IPAddress>]> {
    var orders: [[Holder]] = [[]]
    for stage in stages { orders = orders.flatMap { order in stage.permutations().map { order + $0 } } }
    return Set(orders.map(members))
  }

  @Test("members are possible exactly if some order of the pods gives them, for every set at once")
  func exact() {
    var random = SplitMix64(seed: 3)
    var (possible, impossible) = (0, 0)
    for _ in 0..<300 {
      let pods = Self.holders(
        (0..<random.number(1...5)).map { _ in Set((0..<4).filter { _ in random.chance(45) }) })
      let cut = random.chance(30) ? random.number(0...pods.count) : pods.count
      let stages = [Array(pods[..<cut]), Array(pods[cut...])]
      let (lists, outcomes) = (Self.lists(stages), Self.outcomes(stages))
      for outcome in outcomes { #expect(lists.canHave(outcome)) }
      // Sets of two orders mixed, or with one address more or less.
      for one in outcomes.prefix(6) {
        for other in outcomes.prefix(6) {
          var mixed = one.merging(other) { random.chance(50) ? $0 : $1 }
          if random.chance(30), let place = mixed.keys.sorted(by: { $0.set < $1.set }).first {
            mixed[place]?.formSymmetricDifference(pods[0].addresses)
          }
          let isPossible = outcomes.contains(mixed)
          #expect(lists.canHave(mixed) == isPossible, "\(stages) \(mixed)")
          if isPossible { possible += 1 } else { impossible += 1 }
        }
      }
    }
    #expect(possible > 500 && impossible > 300)
  }

  @Test("the first pod's ports share a list, so a pod with one of them is in the sets of all")
  func example() throws {
    // Pod 0 has ports 1 and 2, pod 1 has port 1 alone.
    let lists = Self.lists([Self.holders([[1, 2], [1]])])
    let address = { (numbers: UInt32...) in Set(numbers.map { IPAddress(v4: 0x0a2a_0000 + $0) }) }
    let can = { (one: Set<IPAddress>, two: Set<IPAddress>) in
      lists.canHave([.init(set: "1", family: .v4): one, .init(set: "2", family: .v4): two])
    }
    #expect(can(address(0, 1), address(0, 1)) && can(address(0, 1), address(0)))
    #expect(!can(address(0), address(0)) && !can(address(0, 1), address(1)))
    // A set that is not compared may have any members.
    #expect(lists.canHave([.init(set: "2", family: .v4): address(0)]))
  }

  @Test("both families have the lists of one order")
  func families() {
    let addresses = [(UInt32(0x0a2a_0001), UInt128(1)), (0x0a2a_0002, 2)].map {
      [IPAddress(v4: $0), IPAddress(v6: $1)]
    }
    let pods = zip(addresses, [Set([1, 2]), [1]]).map { Holder(addresses: $0, keys: $1) }
    var lists = SharedLists(stages: [pods])
    for family in IPFamily.allCases {
      for key in [1, 2] { lists.sets[.init(set: "\(family)\(key)", family: family)] = key }
    }
    let members = { (second: [Int], family: IPFamily) -> [SetPlace: Set<IPAddress>] in
      [
        .init(set: "\(family)1", family: family): Set(addresses.map { $0[family == .v4 ? 0 : 1] }),
        .init(set: "\(family)2", family: family): Set(second.map { addresses[$0][family == .v4 ? 0 : 1] }),
      ]
    }
    for (four, six, isPossible) in [([0, 1], [0, 1], true), ([0], [0], true), ([0, 1], [0], false)] {
      #expect(lists.canHave(members(four, .v4).merging(members(six, .v6)) { first, _ in first }) == isPossible)
    }
  }
}
