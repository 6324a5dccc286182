/// A run that gave no verdict: why, and with what.
public struct LabFailure: Error, CustomStringConvertible {
  public let environment: LabEnvironment
  public let error: any Error
  public var description: String { "\(error)\n\(environment.text)" }
}
