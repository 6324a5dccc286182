/// The results of the engines, one row each.
public struct EngineBenchReport: Sendable {
  public struct Row: Sendable {
    public let engine: String
    /// `nil` for the oracle, which uses no rules.
    public let style: String?
    /// Number of verdicts in batches.
    public let verdicts: Int
    public let allowedShare: Double
    /// Verdicts per second in batches, without preparation and without making the flows.
    public let perSecond: Double
    /// Number of flows that were also judged one by one, and how many of these got a different verdict.
    public let compared: Int
    public let different: Int
    public let perSecondOneByOne: Double?
    /// Number of flows that the batch left to the evaluator that judges one by one.
    public let walked: Int
    public let loweringSeconds: Double
    public let preparationSeconds: Double
    /// Growth of the process's memory at its peak: for rules and preparation, and then for the verdicts.
    public let preparedBytes: Int?
    public let batchBytes: Int?
  }

  public let version: String
  public let machine: String
  public let pods: Int
  public let policies: Int
  public let nodes: Int
  public let flows: Int
  public let rows: [Row]

  public var hasDifferences: Bool { rows.contains { $0.different > 0 } }
}
