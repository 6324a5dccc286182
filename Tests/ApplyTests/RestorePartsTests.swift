// Not covered: the size of a netlink message. Rules with the longest comment and all matches take about 1.5 KiB.
import Kernel
import TestSupport
import Testing

@testable import Apply

@Suite struct RestorePartsTests {
  private static let text = """
    *filter
    :INPUT ACCEPT [0:0]
    :FORWARD DROP [0:0]
    :A - [0:0]
    -A INPUT -j A
    -A A -s 10.0.0.1/32 -j RETURN
    -A A -j DROP
    COMMIT

    """

  private func texts(_ limit: Int) -> [String] {
    RestoreParts(Array(Self.text.utf8), limit: limit).parts.map { part in
      (part.appends ? "+" : "") + String(decoding: part.text, as: UTF8.self)
    }
  }

  @Test("chains come first, and only the first part replaces the table")
  func parts() {
    #expect(
      texts(2) == [
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\nCOMMIT\n", "+*filter\n:A - [0:0]\nCOMMIT\n",
        "+*filter\n-A INPUT -j A\n-A A -s 10.0.0.1/32 -j RETURN\nCOMMIT\n", "+*filter\n-A A -j DROP\nCOMMIT\n",
      ])
    #expect(RestoreParts(whole: Array(Self.text.utf8)).parts.map(\.text) == [Array(Self.text.utf8)])
    #expect(RestoreParts(Array("*filter\nCOMMIT\n".utf8)).parts.map(\.appends) == [false])
  }

  @Test("no part of a table's changes replaces the table, and removals come last")
  func changes() {
    let text = "*filter\n:A - [0:0]\n:B - [0:0]\n-F INPUT\n-A INPUT -j A\n-X B\nCOMMIT\n"
    let parts = RestoreParts(Array(text.utf8), limit: 2, appends: true).parts
    #expect(parts.map(\.appends) == [true, true, true])
    #expect(String(decoding: parts[2].text, as: UTF8.self) == "*filter\n-X B\nCOMMIT\n")
    #expect(RestoreParts(whole: Array(text.utf8), appends: true).parts.map(\.appends) == [true])
  }

  @Test("the kernel has the same table, loaded in parts or at once, over an older one", .needsNamespaces)
  func kernel() throws {
    let worker = try NamespaceWorker()
    defer { worker.close() }
    let lock = try XtablesLock()
    func saved(_ parts: [RestoreParts.Part]) throws -> String {
      let namespace = try worker.makeNamespace()
      let old = Array("*filter\n:OLD - [0:0]\n-A INPUT -j OLD\nCOMMIT\n".utf8)
      for part in RestoreParts(whole: old).parts + parts {
        let arguments = ["iptables-restore", "-w", "-T", "filter"] + (part.appends ? ["--noflush"] : [])
        try lock.command(arguments, input: part.text).run(in: namespace, on: worker).requireSuccess()
      }
      let save = try lock.command(["iptables-save", "-t", "filter"]).run(in: namespace, on: worker).requireSuccess()
      return save.text.split(separator: "\n").filter { !$0.hasPrefix("#") }.joined(separator: "\n")
    }
    let lines = (0..<350).map {
      "-A A -s 10.0.\($0 / 250).\($0 % 250)/32 -m comment --comment \"rule \($0)\" -j RETURN"
    }
    let text = Array(Self.text.replacing("-A A -j DROP", with: lines.joined(separator: "\n") + "\n-A A -j DROP").utf8)
    #expect(RestoreParts(text).parts.count == 5)
    let whole = try saved(RestoreParts(whole: text).parts)
    #expect(try saved(RestoreParts(text).parts) == whole)
    #expect(whole.contains("rule 349") && !whole.contains("OLD"))
  }
}
