/// One thing that a controller does.
enum Step: Hashable, Sendable {
  /// The scheduler gives a pod its node.
  case bind(ObjectKey)
  /// The kubelet runs a pod.
  case start(ObjectKey)
  /// The kubelet has stopped a deleted pod.
  case stop(ObjectKey)
  /// A node gets addresses and networks, if it has none, and pods that waited for them are tried again.
  case node(ObjectKey)
  /// The pods of a node that is gone are removed.
  case lostNode(String)
  /// What waits for a node is tried again.
  case nodesChanged
  case workload(ObjectKey)
  /// The EndpointSlices and Endpoints of a Service.
  case slices(ObjectKey)
  /// What is in a deleted namespace is deleted.
  case namespace(String)
  /// What belonged to a deleted object is deleted.
  case collect(String)
}

/// Steps by the time when they are due, then in the order in which they were added. A step that is in it already gets the
/// earlier of both times.
struct StepQueue: Sendable {
  private struct Entry: Sendable {
    let due: Int
    let number: Int
    let step: Step
    func isBefore(_ other: Entry) -> Bool { (due, number) < (other.due, other.number) }
  }

  /// A binary heap.
  private var heap: [Entry] = []
  /// The number of the entry that counts.
  private var valid: [Step: (due: Int, number: Int)] = [:]
  private var added = 0

  var nextDue: APITime? { heap.first.map { APITime(milliseconds: $0.due) } }

  mutating func add(_ step: Step, _ due: APITime) {
    if let earlier = valid[step], earlier.due <= due.milliseconds { return }
    added += 1
    valid[step] = (due.milliseconds, added)
    heap.append(Entry(due: due.milliseconds, number: added, step: step))
    var place = heap.count - 1
    while place > 0, heap[place].isBefore(heap[(place - 1) / 2]) {
      heap.swapAt(place, (place - 1) / 2)
      place = (place - 1) / 2
    }
  }

  /// Takes out the first step that is due. `nil`: none is.
  mutating func next(_ now: APITime) -> Step? {
    while let first = heap.first, first.due <= now.milliseconds {
      removeFirst()
      if valid[first.step]?.number == first.number {
        valid[first.step] = nil
        return first.step
      }
    }
    return nil
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var place = 0
    while true {
      var least = place
      for child in [2 * place + 1, 2 * place + 2] where child < heap.count {
        if heap[child].isBefore(heap[least]) { least = child }
      }
      if least == place { return }
      heap.swapAt(place, least)
      place = least
    }
  }
}
