internal import NetpolModel
internal import Text

/// Reads an entry of `flows`: one flow for each combination of its ends and ports.
struct FlowReader {
  private(set) var flows: [ExpectedFlow] = []

  init(_ entry: Field, limit: Int, _ uses: inout [NameUse]) throws(ManifestError) {
    let fields = try entry.fields()
    try fields.closed(to: [
      "from", "to", "port", "ports", "group", "endpoint", "expect", "mechanism", "document", "because", "family",
    ])
    let sources = try Self.ends(fields, "from", &uses)
    let targets = try Self.ends(fields, "to", &uses)
    let questions = try Self.questions(fields)
    var flow = ExpectedFlow(
      from: .node(""), to: .node(""), question: .echo,
      expect: try fields.required("expect", "write allowed, denied or mixed").word(
        ExpectedVerdict.self, synonyms: ["allow": .allow, "deny": .deny]), location: entry.location)
    if let field = fields["mechanism"] {
      flow.mechanism = try field.word(
        ExpectedFlow.Mechanism.self, synonyms: ["reject": .reject, "drop": .drop, "no-route": .noRoute])
      if flow.expect != .deny {
        throw field.error("may not be given with expect: \(flow.expect.rawValue)", "remove it")
      }
    }
    flow.document = try fields["document"]?.verdict()
    flow.because = try fields["because"]?.string()
    flow.codes = try fields["because"]?.codes() ?? []
    flow.family = try fields["family"]?.word(IPFamily.self)
    if let field = fields["endpoint"] {
      flow.endpoint = try Self.endpoint(field, &uses)
      if flow.expect == .mixed { throw field.error("one endpoint can't be mixed", "expect allowed or denied") }
    }
    if let field = fields["group"] { flow.group = try Self.group(field, flow.family, questions) }

    let (pairs, overflow) = sources.count.multipliedReportingOverflow(by: targets.count)
    guard !overflow, pairs <= limit / max(questions.count, 1) else {
      throw entry.error(
        "more than \(ExpectationsReader.flowLimit) flows in total", "list fewer ends, or workloads instead of pods")
    }
    for source in sources {
      // When lists are combined, an end is not paired with itself.
      for target in targets where source != target || pairs == 1 {
        for question in questions {
          flow.from = source
          flow.to = target
          flow.question = question
          flows.append(flow)
        }
      }
    }
  }

  /// The value itself, or the values of a list.
  private static func values(_ field: Field) throws(ManifestError) -> [Field] {
    guard field.isList else { return [field] }
    let list = try field.list()
    if list.isEmpty { throw field.error("is empty", "give at least one entry") }
    return list
  }

  private static func ends(_ fields: Fields, _ name: String, _ uses: inout [NameUse]) throws(ManifestError)
    -> [EndpointReference]
  {
    var ends: [EndpointReference] = []
    for field in try values(try fields.required(name, "write \(EndpointReference.forms)")) {
      let text = try field.string()
      let end: EndpointReference
      do throws(EndpointTextError) { end = try EndpointReference(text) } catch {
        throw field.error("\(text.quoted) \(error.problem)", error.remedy)
      }
      switch end {
      case .service where name == "from", .virtualAddress where name == "from":
        throw field.error("a Service sends nothing", "name the pods or the workload behind it")
      default: break
      }
      ends.append(end)
      uses.append(NameUse(.end(end), text, field))
    }
    return ends
  }

  private static func endpoint(_ field: Field, _ uses: inout [NameUse]) throws(ManifestError) -> EndpointReference {
    let text = try field.string()
    let remedy = "write a pod as namespace/name, or an address"
    let end: EndpointReference
    do throws(EndpointTextError) { end = try EndpointReference(text) } catch {
      throw field.error("\(text.quoted) \(error.problem)", remedy)
    }
    switch end {
    case .pod, .address: break
    case .workload, .service, .virtualAddress, .node, .external:
      throw field.error("\(text.quoted) is not one endpoint", remedy)
    }
    uses.append(NameUse(.end(end), text, field))
    return end
  }

  private static func questions(_ fields: Fields) throws(ManifestError) -> [Flow.Question] {
    let list: [Field]
    switch (fields["port"], fields["ports"]) {
    case (let port?, nil): list = try values(port)
    case (nil, let ports?): list = try values(ports)
    case (nil, nil): throw fields.missing("port", "write a number, UDP/53 or ICMP")
    case (_?, let ports?): throw ports.error("can't be combined with port", "keep one of them")
    }
    return try list.map { (field) throws(ManifestError) in try field.question() }
  }

  private static func group(_ field: Field, _ family: IPFamily?, _ questions: [Flow.Question])
    throws(ManifestError) -> IPAddress
  {
    let group = try field.address()
    guard group.isMulticast else {
      throw field.error("\(group) is not a multicast group", "write one such as 224.0.0.251 or ff02::fb")
    }
    if let family, family != group.family {
      throw field.error(
        "\(group) is not an \(family.rawValue) address",
        "write family: \(group.family.rawValue), or remove it")
    }
    for question in questions {
      guard case .port(let port) = question, port.transport == .udp else {
        throw field.error("a multicast group can only be reached over UDP", "give a port such as UDP/5353")
      }
    }
    return group
  }
}

extension Field {
  /// The words of a text that are codes. Throws for a word that looks like one and is none.
  fileprivate func codes() throws(ManifestError) -> [Code] {
    var codes: [Code] = []
    for word in try string().split(whereSeparator: { " ,;.:()[]".contains($0) }) where word.hasPrefix("NPL-") {
      guard let code = Code(rawValue: String(word)) else {
        throw error("unknown code \(String(word).quoted)", "docs/codes lists them; without NPL- it is a remark")
      }
      codes.append(code)
    }
    return codes
  }

  fileprivate func verdict() throws(ManifestError) -> Verdict {
    try word(Verdict.self, synonyms: ["allow": .allow, "deny": .deny])
  }

  /// `80`, `TCP/80`, `53/udp`, or `ICMP`.
  fileprivate func question() throws(ManifestError) -> Flow.Question {
    guard case .string(let text) = scalar else { return .port(TransportPort(.tcp, try port())) }
    if text.uppercased() == "ICMP" { return .echo }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 1, let port = UInt16(text), port > 0 { return .port(TransportPort(.tcp, port)) }
    for (word, number) in [(parts.first, parts.last), (parts.last, parts.first)] where parts.count == 2 {
      if let transport = word.flatMap({ Transport(rawValue: $0.uppercased()) }),
        let port = number.flatMap({ UInt16($0) }), port > 0
      {
        return .port(TransportPort(transport, port))
      }
    }
    throw error("\(text.quoted) is not a port", "write a number from 1 to 65535, TCP/80, UDP/53, SCTP/9 or ICMP")
  }
}
