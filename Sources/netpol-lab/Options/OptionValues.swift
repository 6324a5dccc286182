public import ArgumentParser
public import Bench
import Foundation
public import Lag
public import Lowering
public import NetpolModel

// Values of the model and the products that options name. Each option's value name shows how to write them.

extension EnforcementStyle: ExpressibleByArgument {
  public init?(argument: String) {
    guard let style = Self.named(argument) else { return nil }
    self = style
  }

  public var defaultValueDescription: String { name }
  public static var allValueStrings: [String] { all.map(\.name) }
}

extension AgentKind: ExpressibleByArgument {}
extension LagScenario: ExpressibleByArgument {}
extension BenchWorld.PeerKind: ExpressibleByArgument {}

extension IPFamily: ExpressibleByArgument {
  public init?(argument: String) {
    guard let family = Self.allCases.first(where: { $0.optionText == argument.lowercased() }) else { return nil }
    self = family
  }

  public static var allValueStrings: [String] { allCases.map(\.optionText) }
  private var optionText: String { rawValue.lowercased() }
}

extension CIDR: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

/// `30000-32767` or `30000:32767`.
extension PortRange: ExpressibleByArgument {
  public init?(argument: String) {
    let parts = argument.split { $0 == "-" || $0 == ":" }.map { UInt16($0) }
    guard parts.count == 2, let first = parts[0], let last = parts[1], 0 < first, first < last else { return nil }
    self.init(first, last)
  }
}

/// `80`, `TCP/80`, `80/udp`, `ICMP`, or a port's name.
extension AskedPort {
  /// Throws `ValidationError` with what to write.
  init(optionText argument: String) throws {
    if argument.uppercased() == Flow.Question.echo.description {
      self = .question(.echo)
    } else if let port = Self.port(argument) {
      self = .question(.port(port))
    } else if Self.isName(argument) {
      self = .name(argument)
    } else if let number = argument.split(separator: "/").compactMap({ Int($0) }).first, !(1...65535).contains(number) {
      throw ValidationError("a port is a number from 1 to 65535")
    } else {
      throw ValidationError("write a number such as 80, a protocol with it such as UDP/53, a port's name, or ICMP")
    }
  }

  /// A DNS label, as names of Service ports are, with a letter, as names of container ports have.
  private static func isName(_ text: String) -> Bool {
    let isLetter = { (byte: UInt8) in UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte }
    let isDigit = { (byte: UInt8) in UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    return (1...63).contains(text.utf8.count) && text.utf8.contains(where: isLetter)
      && text.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
      && !text.hasPrefix("-") && !text.hasSuffix("-")
  }

  private static func port(_ argument: String) -> TransportPort? {
    let parts = argument.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let numbers = parts.filter { !$0.isEmpty && $0.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } }
    guard let number = numbers.compactMap({ UInt16($0) }).first, number > 0, parts.count <= 2 else { return nil }
    let transports = parts.compactMap { Transport(rawValue: $0.uppercased()) }
    guard transports.count == parts.count - 1 else { return nil }
    return TransportPort(transports.first ?? .tcp, number)
  }
}

extension AskedPort {
  /// Whether it is a UDP port by its number.
  var isUDP: Bool { if case .question(.port(let port)) = self { port.transport == .udp } else { false } }
}

/// An IPv4 multicast group, such as `224.0.0.251`.
struct MulticastGroup: ExpressibleByArgument {
  let address: IPAddress

  init?(argument: String) {
    guard let address = IPAddress(argument), address.isMulticast, address.family == .v4 else { return nil }
    self.address = address
  }
}

/// `200ms`, `100ms..2s` for a uniform distribution, or `~300ms` for the mean of an exponential one; at most 60 s.
extension APIDelay: ExpressibleByArgument {
  public init?(argument: String) {
    let time = { (part: Substring) -> Duration? in
      Duration(text: String(part)).flatMap { $0 <= .seconds(60) ? $0 : nil }
    }
    if argument.hasPrefix("~") {
      guard let mean = time(argument.dropFirst()) else { return nil }
      self = .exponential(mean: mean)
    } else if let dots = argument.range(of: "..") {
      guard let low = time(argument[..<dots.lowerBound]), let high = time(argument[dots.upperBound...]), low <= high
      else { return nil }
      self = .uniform(low...high)
    } else {
      guard let delay = time(argument[...]) else { return nil }
      self = .constant(delay)
    }
  }
}
