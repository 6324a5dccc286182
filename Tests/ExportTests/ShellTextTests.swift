// Not covered: whole scripts. ProgramTests writes and runs them.
import Kernel
import Testing

@testable import Export

@Suite("shell text") struct ShellTextTests {
  private static let hostile = [
    "shop/web", "", "it's", "'", "''; touch x; '", "$(touch x)", "`touch x`", "\"$HOME\"", "a\nb", "\\", "*", "END",
    "# x",
  ]

  private func bash(_ script: String) throws -> CommandResult {
    let worker = try NamespaceWorker()
    defer { worker.close() }
    return try Command(["bash", "-s"], input: Array(script.utf8)).run(on: worker)
  }

  @Test("a quoted text is the same text to bash", arguments: hostile) func quoted(text: String) throws {
    #expect(try bash("printf %s \(text.shellQuoted)").text == text)
  }

  @Test(
    "what a command reads is the same text, whatever it looks like",
    arguments: hostile.filter { !$0.isEmpty } + ["a\nEND\nEND_\ntouch x"])
  func input(text: String) throws {
    var script = ScriptText()
    script.block("show() {", "}") { $0.add("cat", input: text) }
    script.add("show")
    #expect(try bash(script.text).text == text + "\n")
  }

  @Test("a comment stays a comment", arguments: hostile) func comment(text: String) throws {
    var script = ScriptText()
    script.comment(text)
    script.add("echo end")
    let result = try bash(script.text)
    #expect(result.text == "end\n" && result.stderr.isEmpty)
    #expect(script.lines.count == 2)
  }

  @Test("a plain name means nothing to a shell or to the programs that load rules") func plain() {
    for name in ["KUBE-SVC-A", "service-X-shop/web/tcp/80", "inet6", "a_b.c"] { #expect(name.isPlain, "\(name)") }
    for name in Self.hostile.filter({ $0 != "shop/web" && $0 != "END" }) + ["-A", "a b", "a;b", "é"] {
      #expect(!name.isPlain, "\(name)")
    }
  }
}
