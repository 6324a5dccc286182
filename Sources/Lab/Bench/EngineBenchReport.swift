/// What engines were measured to do, one row each.
public struct EngineBenchReport: Sendable {
  public struct Row: Sendable {
    public let engine: String
    /// Nil for the oracle, which knows no rules.
    public let style: String?
    /// Judged in batches.
    public let verdicts: Int
    public let allowedShare: Double
    /// Of the batch, without preparation and without making the flows.
    public let perSecond: Double
    /// Flows that were also judged one by one, and how many of them otherwise.
    public let compared: Int
    public let different: Int
    public let perSecondOneByOne: Double?
    /// Flows that the batch left to the evaluator that goes one by one.
    public let walked: Int
    public let loweringSeconds: Double
    public let preparationSeconds: Double
    /// Peak of the process's memory above where it began, for rules and preparation, and then for the verdicts.
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
