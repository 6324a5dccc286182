internal import Enforcement
internal import EngineComparison
internal import NetpolModel
internal import Path
public import Run
internal import StandingLab
internal import Verdicts

extension RunReport {
  /// The traced packets as a pcapng file (draft-ietf-opsawg-pcapng): one packet for each base chain that it passed, from its
  /// IP header on, with what it met there as comments. `nil` if no packet was traced.
  ///
  /// The kernel tells the first 40 to 60 bytes of a packet. It gives no times: the number of a packet counts as its time,
  /// in microseconds.
  public var capture: [UInt8]? {
    var capture = TraceCapture(title: environment.text)
    for flow in explained { capture.add(flow) }
    return capture.isEmpty ? nil : capture.bytes
  }
}

/// A pcapng file in the making. Every machine is an interface.
private struct TraceCapture {
  private(set) var bytes: [UInt8] = []
  private(set) var isEmpty = true
  private var interfaces: [String: UInt32] = [:]
  private var count: UInt64 = 0

  // Block types and options of the format.
  private static let section: UInt32 = 0x0A0D_0D0A
  private static let interface: UInt32 = 1
  private static let packet: UInt32 = 6
  private static let comment: UInt16 = 1
  /// `shb_userappl` in the section, `if_name` in an interface.
  private static let application: UInt16 = 4
  private static let interfaceName: UInt16 = 2
  /// LINKTYPE_RAW: packets begin with their IP header.
  private static let rawIP: UInt16 = 101

  init(title: String) {
    // Byte order, version 1.0, and a section of unknown length.
    var body = Self.number(UInt32(0x1A2B_3C4D)) + Self.number(UInt16(1)) + Self.number(UInt16(0))
    body += Self.number(UInt64.max) + Self.options([(Self.application, title)])
    bytes += Self.block(Self.section, body)
  }

  mutating func add(_ flow: ExplainedFlow) {
    guard case .kernel(let trace, _) = flow.trace else { return }
    // The evaluator's names for the same rules.
    let known = Dictionary(
      flow.record.hooks.flatMap { hook in
        hook.rules.map { ("\(hook.position.machine) \($0.table) \($0.rule.chain) \($0.rule.number)", $0) }
      }
    ) { first, _ in first }
    // In the order of travel: each machine's trace is a list of its own.
    let places = flow.record.hooks.map { "\($0.position.machine) \($0.position.hook.rawValue)" }
    let order = Dictionary(places.enumerated().map { ($1, $0) }) { first, _ in first }
    let passages = trace.passages.enumerated().sorted { one, other in
      let place = { (passage: KernelTrace.Passage) in
        order["\(passage.machineName) \(passage.hook.rawValue)"] ?? places.count
      }
      return (place(one.element), one.offset) < (place(other.element), other.offset)
    }.map(\.element)
    for passage in passages {
      isEmpty = false
      let machine = passage.machineName
      let number = interface(machine)
      var comments = [
        "\(flow.comparison.flow)", "\(machine) \(passage.hook.rawValue), \(passage.table) \(passage.chain)",
      ]
      comments += passage.rules.map { rule in
        let place = "\(rule.table) \(rule.chain) #\(rule.index.map { "\($0 + 1)" } ?? "?")"
        guard let index = rule.index, let met = known["\(machine) \(rule.table) \(rule.chain) \(index + 1)"] else {
          return place
        }
        let origin = met.rule.originText.isEmpty ? "" : " \(met.rule.originText)"
        return "\(met.decides ? "* " : "")\(place)\(origin): \(met.rule.text)"
      }
      if let policy = passage.policy { comments.append("policy of \(passage.chain): \(policy.rawValue)") }
      count += 1
      var body = Self.number(number) + Self.number(UInt32(truncatingIfNeeded: count >> 32))
      body += Self.number(UInt32(truncatingIfNeeded: count)) + Self.number(UInt32(passage.bytes.count))
      body += Self.number(UInt32(passage.length)) + Self.padded(passage.bytes)
      bytes += Self.block(Self.packet, body + Self.options(comments.map { (Self.comment, $0) }))
    }
  }

  /// The number of a machine's interface, which is described when it is first needed.
  private mutating func interface(_ machine: String) -> UInt32 {
    if let number = interfaces[machine] { return number }
    let number = UInt32(interfaces.count)
    interfaces[machine] = number
    let body = Self.number(Self.rawIP) + Self.number(UInt16(0)) + Self.number(UInt32(0))
    bytes += Self.block(Self.interface, body + Self.options([(Self.interfaceName, machine)]))
    return number
  }

  private static func block(_ type: UInt32, _ body: [UInt8]) -> [UInt8] {
    let length = number(UInt32(body.count + 12))
    return number(type) + length + body + length
  }

  private static func options(_ options: [(code: UInt16, text: String)]) -> [UInt8] {
    let written = options.flatMap { option -> [UInt8] in
      let text = Array(option.text.utf8.prefix(60_000))
      return number(option.code) + number(UInt16(text.count)) + padded(text)
    }
    return written + number(UInt32(0))
  }

  private static func padded(_ bytes: [UInt8]) -> [UInt8] {
    bytes + [UInt8](repeating: 0, count: (4 - bytes.count % 4) % 4)
  }

  private static func number(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
