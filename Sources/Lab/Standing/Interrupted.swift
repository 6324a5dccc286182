/// A bench was ended before there was anything to tell.
public struct Interrupted: Error, CustomStringConvertible {
  public var description: String { "interrupted before enough was measured to tell anything" }
  public init() {}
}
