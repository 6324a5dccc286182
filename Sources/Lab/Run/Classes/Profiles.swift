extension WorkloadGrid {
  /// What is the case from one workload to another, port by port. Equal cases have one number.
  public struct Profiles: Sendable {
    /// A profile is another one and what is the case for one more question.
    private struct Extension: Hashable {
      let shorter: Int32
      let question: Int
      let mix: Mix
    }
    /// By number. The first is the empty one: nothing was asked.
    private var profiles: [Extension?] = [nil]
    private var totals: [Mix] = [[]]
    private var known: [Extension: Int32] = [:]
    /// By receiver, then sender.
    private var numbers: [[Int32]] = []
    private let senders: Int

    init(senders: Int) { self.senders = senders }

    mutating func extend(_ numbers: inout [Int32], by question: Int, _ cells: [Mix]) {
      var last: (longer: Extension, number: Int32)?
      for sender in 0..<senders where !cells[sender].isEmpty {
        let longer = Extension(shorter: numbers[sender], question: question, mix: cells[sender])
        if let last, last.longer == longer {
          numbers[sender] = last.number
          continue
        }
        let number = number(longer)
        last = (longer, number)
        numbers[sender] = number
      }
    }

    private mutating func number(_ longer: Extension) -> Int32 {
      if let number = known[longer] { return number }
      let number = Int32(profiles.count)
      known[longer] = number
      profiles.append(longer)
      totals.append(totals[Int(longer.shorter)].union(longer.mix))
      return number
    }

    mutating func add(_ receiver: [Int32]) { numbers.append(receiver) }

    public func number(from sender: Int, to receiver: Int) -> Int { Int(numbers[receiver][sender]) }

    /// The questions of a profile, and what is the case for each. Lowest first.
    public func mixes(of number: Int) -> [(question: Int, mix: Mix)] {
      var mixes: [(question: Int, mix: Mix)] = []
      var next = number
      while let one = profiles[next] {
        mixes.append((one.question, one.mix))
        next = Int(one.shorter)
      }
      return mixes.reversed()
    }

    /// What is the case among all questions of a profile.
    public func total(of number: Int) -> Mix { totals[number] }
  }
}
