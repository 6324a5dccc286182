/// Something that the lab can't do on this machine, or did not find as it should be.
public struct LabError: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}
