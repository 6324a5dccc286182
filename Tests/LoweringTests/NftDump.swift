import Foundation
import NetpolModel
import RuleIR

/// `nft list ruleset` as text: the content of each set and chain in kube-router's tables.
struct NftDump {
  /// By `table object name`: the lines of its body, with the elements on one line and counters without their numbers.
  var objects: [String: [String]] = [:]

  init(_ text: String) {
    var table = ""
    var object: String?
    var elements: String?
    for raw in text.split(separator: "\n") {
      var line = String(raw.drop { $0 == "\t" || $0 == " " })
      if var list = elements {
        list += " " + line
        if line.hasSuffix("}") {
          line = list
          elements = nil
        } else {
          elements = list
          continue
        }
      } else if line.hasPrefix("elements = {"), !line.hasSuffix("}") {
        elements = line
        continue
      }
      if line.hasPrefix("table ") {
        table = String(line.dropLast(2))
        object = table
        objects[table] = []
      } else if line.hasPrefix("set ") || line.hasPrefix("chain ") {
        object = "\(table) \(line.dropLast(2))"
        objects[object ?? "", default: []] = []
      } else if line == "}" {
        object = nil
      } else if let object {
        objects[object]?.append(Self.withoutCounts(line))
      }
    }
    // The controller's iptables clean-up leaves these tables behind. They contain no rules.
    for foreign in ["table ip filter", "table ip6 filter"] {
      objects = objects.filter { $0.key != foreign && !$0.key.hasPrefix(foreign + " ") }
    }
  }

  private static func withoutCounts(_ line: String) -> String {
    if line.hasPrefix("elements = {") {
      let members = line.dropFirst("elements = {".count).dropLast(1).split(separator: ",").map {
        $0.filter { $0 != " " }
      }
      return "elements = { \(members.sorted().joined(separator: ", ")) }"
    }
    var words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    if let counter = words.firstIndex(of: "counter"), words.count > counter + 4, words[counter + 1] == "packets" {
      words.removeSubrange(counter + 1...counter + 4)
    }
    return words.joined(separator: " ")
  }

  /// Every line with canonical names and in a canonical order, so that the differences that the dumps' README allows
  /// don't count.
  func canonical(_ freedoms: Freedoms) -> [String] {
    var token: [String: String] = [:]
    for (name, group) in freedoms.namedSets {
      for (key, lines) in objects where key.hasSuffix(" set \(name)") {
        token[name] = group + (lines.first { $0.hasPrefix("elements") } ?? "")
      }
    }
    let rename = { (line: String) in
      line.split(separator: " ", omittingEmptySubsequences: false).map { word in
        word.hasPrefix("@") ? token[String(word.dropFirst())].map { "@" + $0 } ?? String(word) : String(word)
      }.joined(separator: " ")
    }
    var result: [String] = []
    for (key, lines) in objects {
      let name = key.split(separator: " ").last.map(String.init) ?? ""
      var body = lines.map(rename)
      let head = body.prefix { $0.hasPrefix("comment ") || $0.hasPrefix("type filter") }.count
      if name.hasPrefix("KUBE-ROUTER-") {
        body = Self.sortingGroups(
          body, by: { Self.word(after: "jump", in: $0).flatMap { $0.hasPrefix("KUBE-POD-FW-") ? $0 : nil } })
      }
      if name.hasPrefix("KUBE-POD-FW-") { body = Self.sortingPolicyJumps(body) }
      for range in freedoms.namedRanges[name] ?? [] where head + range.upperBound <= body.count {
        let shifted = head + range.lowerBound..<head + range.upperBound
        body.replaceSubrange(shifted, with: body[shifted].sorted())
      }
      let title = token[name].map { key.replacingOccurrences(of: name, with: $0) } ?? key
      result += body.isEmpty ? [title] : body.enumerated().map { "\(title) #\($0) \($1)" }
    }
    return result.sorted()
  }

  private static func word(after keyword: String, in line: String) -> String? {
    let words = line.split(separator: " ").map(String.init)
    return words.firstIndex(of: keyword).flatMap { $0 + 1 < words.count ? words[$0 + 1] : nil }
  }

  private static func sortingGroups(_ rules: [String], by group: (String) -> String?) -> [String] {
    guard let first = rules.firstIndex(where: { group($0) != nil }) else { return rules }
    let run = rules[first...].prefix { group($0) != nil }
    var groups: [(key: String, rules: [String])] = []
    for rule in run {
      let key = group(rule) ?? ""
      if groups.last?.key == key { groups[groups.count - 1].rules.append(rule) } else { groups.append((key, [rule])) }
    }
    return rules[..<first] + groups.sorted { $0.key < $1.key }.flatMap(\.rules) + rules[run.endIndex...]
  }

  private static func sortingPolicyJumps(_ rules: [String]) -> [String] {
    let isJump = { (rule: String) in
      guard let target = word(after: "jump", in: rule) else { return false }
      return target.hasPrefix("KUBE-NWPLCY-") && !target.hasSuffix("-COMMON") && !target.hasSuffix("-DEFAULT")
    }
    guard let first = rules.firstIndex(where: isJump) else { return rules }
    let run = rules[first...].prefix(while: isJump)
    return rules[..<first] + run.sorted() + rules[run.endIndex...]
  }
}
