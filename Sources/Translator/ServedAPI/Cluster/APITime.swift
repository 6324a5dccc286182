/// A time as the API's objects hold it: RFC 3339, in whole seconds.
public struct APITime: Hashable, Sendable, Comparable {
  /// Since 1970.
  public let milliseconds: Int

  public init(milliseconds: Int) { self.milliseconds = milliseconds }

  public var seconds: Int { milliseconds / 1000 }
  /// `2026-01-31T12:00:00Z`.
  public var text: String { RFC3339.text(seconds) }

  public static func < (a: APITime, b: APITime) -> Bool { a.milliseconds < b.milliseconds }
  public static func + (time: APITime, milliseconds: Int) -> APITime {
    APITime(milliseconds: time.milliseconds + milliseconds)
  }
}
