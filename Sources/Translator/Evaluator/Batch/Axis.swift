internal import NetpolModel

/// One field of packets, over the numbered values that a batch asks about. It has the answers to the rules' questions
/// about each value, and finds which values some rules can't tell apart.
struct Axis {
  /// The answer of a match for all values.
  enum Answer: Hashable {
    case constant(Bool)
    /// The number of an answer in `bits`.
    case some(Int)
  }

  /// What some rules ask about a value.
  struct Questions: Hashable {
    /// Values that rules ask for individually.
    var singles: Set<Int> = []
    var bits: Set<Int> = []
    /// Numbers of labellings.
    var labels: Set<Int> = []

    mutating func formUnion(_ other: Self) {
      singles.formUnion(other.singles)
      bits.formUnion(other.bits)
      labels.formUnion(other.labels)
    }
  }

  /// Values with the same answers to all questions except `singles` are in one class.
  struct Partition {
    /// Where this partition begins in `classes`.
    let offset: Int
    let count: Int
  }

  let count: Int
  let wordsPerAnswer: Int
  /// Answers as bit sets, one after another.
  private(set) var bits: [UInt64] = []
  /// The classes of all values, one partition after another.
  private(set) var classes: [UInt16] = []
  private var labellings: [[UInt32]] = []
  private var partitions: [Questions: Partition] = [:]

  init(count: Int) {
    self.count = count
    wordsPerAnswer = (count + 63) / 64
  }

  /// Stores an answer that holds for these values.
  mutating func answer(holdingFor values: [Int]) -> Answer {
    if values.isEmpty { return .constant(false) }
    if values.count == count { return .constant(true) }
    let base = bits.count
    bits.append(contentsOf: repeatElement(0, count: wordsPerAnswer))
    for value in values { bits[base + value >> 6] |= 1 << UInt64(value & 63) }
    return .some(base / wordsPerAnswer)
  }

  /// Stores a label for each value. No question tells values with the same label apart.
  mutating func labelling(_ labels: [UInt32]) -> Int {
    labellings.append(labels)
    return labellings.count - 1
  }

  func holds(_ answer: Int, for value: Int) -> Bool {
    bits[answer * wordsPerAnswer + value >> 6] >> UInt64(value & 63) & 1 == 1
  }

  /// The class of a value in a chain's tables.
  func classNumber(_ value: Int, _ side: BatchShape.Side) -> Int {
    value == side.own ? side.count - 1 : Int(classes[side.offset + value])
  }

  /// The class that a chain's single address would have if no rule asked for it individually. `nil` if there is no such
  /// address.
  func classOfOwn(_ side: BatchShape.Side) -> UInt16? { side.own < 0 ? nil : classes[side.offset + side.own] }

  /// Returns the classes that the answers to all questions except `singles` make. Returns `nil` if there are more than
  /// a table can hold.
  mutating func partition(by questions: Questions) -> Partition? {
    var shared = questions
    shared.singles = []
    if let known = partitions[shared] { return known }
    var current = [UInt32](repeating: 0, count: count)
    var classCount: UInt32 = 1
    for answer in shared.bits.sorted() { refine(&current, &classCount, byAnswer: answer) }
    for labelling in shared.labels.sorted() {
      let labels = labellings[labelling]
      refine(&current, &classCount) { labels[$0] }
    }
    guard classCount < UInt16.max else { return nil }
    let partition = Partition(offset: classes.count, count: Int(classCount))
    classes.append(contentsOf: current.map { UInt16($0) })
    partitions[shared] = partition
    return partition
  }

  private func refine(_ current: inout [UInt32], _ classCount: inout UInt32, by label: (Int) -> UInt32) {
    var numbers: [UInt64: UInt32] = [:]
    for value in current.indices {
      let next = UInt32(numbers.count)
      let key = UInt64(current[value]) << 32 | UInt64(label(value))
      let number = numbers[key, default: next]
      if number == next { numbers[key] = next }
      current[value] = number
    }
    classCount = UInt32(numbers.count)
  }

  /// The same for two labels, but faster.
  private func refine(_ current: inout [UInt32], _ classCount: inout UInt32, byAnswer answer: Int) {
    var numbers = [UInt32](repeating: .max, count: 2 * Int(classCount))
    var count: UInt32 = 0
    for value in current.indices {
      let key = Int(current[value]) << 1 | (holds(answer, for: value) ? 1 : 0)
      if numbers[key] == .max {
        numbers[key] = count
        count += 1
      }
      current[value] = numbers[key]
    }
    classCount = count
  }
}
