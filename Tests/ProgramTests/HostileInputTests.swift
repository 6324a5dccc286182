// Not covered: what a terminal would do. The tests look for characters that no terminal must get.
import Foundation
import Kernel
import TestSupport
import Testing
import Text

@Suite("Hostile input") struct HostileInputTests {
  private static let field = repository.appendingPathComponent("Tests/Fixtures/field").path

  /// Whether nothing but line feeds acts on a terminal.
  private func isHarmless(_ text: String) -> Bool {
    !text.unicodeScalars.contains { $0.actsOnTerminal && $0 != "\n" }
  }

  @Test("text of an Expectations document can't act on a terminal or forge a line", .needsNamespaces)
  func expectations() async throws {
    for file in ["min.yaml", "esc.yaml"] {
      let path = "\(Self.field)/abuse-02-ansi-expectations/\(file)"
      for arguments in [["run", "-f", path], ["run", "-f", path, "-o", "json"]] {
        let result = try await Program.run(arguments)
        #expect(isHarmless(result.output) && isHarmless(result.errors))
        #expect(result.output.contains("\\x1b") || result.output.contains("\\u001b"))
        #expect(result.status == .exited(0) || result.status == .exited(1), "\(result.errors)")
      }
      for format in ["junit", "sarif", "github", "markdown"] {
        let result = try await Program.run(["run", "-f", path, "-o", format])
        #expect(isHarmless(result.output), "\(format)")
        #expect(result.status == .exited(0) || result.status == .exited(1), "\(result.errors)")
      }
    }
  }

  @Test("comments of a dump can't act on a terminal")
  func dump() async throws {
    let golden = repository.appendingPathComponent("Tests/Fixtures/golden/pod-selector-peer").path
    let result = try await Program.run([
      "compare", "-f", "\(golden)/manifests.yaml", "--iptables-save", "\(Self.field)/abuse-03-ansi-compare-dump/v4",
      "--ipset-save", "\(golden)/ipset-save.txt",
    ])
    #expect(result.status == .exited(1), "\(result.errors)")
    #expect(isHarmless(result.output) && isHarmless(result.errors))
    #expect(result.output.contains("\\x1b"))
  }

  @Test(
    "a name that a rule can't carry is refused with its line, also with --as-stored",
    arguments: [
      ("inj_accept.yaml", ["render", "-o", "iptables"]), ("inj_commit.yaml", ["run"]), ("inj_nl.yaml", ["run"]),
      ("stored.yaml", ["render", "--style", "compiled", "-o", "nft"]),
    ])
  func injection(file: String, command: [String]) async throws {
    let path = "\(Self.field)/abuse-04-as-stored-newline-injects-rules/\(file)"
    let result = try await Program.run(command + ["--as-stored", "-f", path])
    #expect(result.status == .exited(2) && result.output.isEmpty)
    #expect(isHarmless(result.errors))
    #expect(
      result.errors.contains(/\.yaml:\d+: .*has a quote, a backslash or a line break, which no rule can carry/),
      "\(result.errors)")
  }

  @Test("a document can't make its reader quote a file outside of its folder")
  func outside() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("outside-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(
      at: folder.appendingPathComponent("in/deep"), withIntermediateDirectories: true)
    let document =
      try String(contentsOfFile: "\(Self.field)/abuse-11-added-file-quoted/expadd2.yaml", encoding: .utf8)
    let file = folder.appendingPathComponent("in/doc.yaml")
    try Data("secret: word".utf8).write(to: folder.appendingPathComponent("out.yaml"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.appendingPathComponent("in/link.yaml").path, withDestinationPath: "../out.yaml")
    try Data(podManifest.replacing("name: a", with: "name: z").utf8).write(
      to: folder.appendingPathComponent("in/deep/more.yaml"))
    for path in ["/etc/passwd", "../out.yaml", "link.yaml", "deep/../../out.yaml"] {
      try Data(document.replacing("/etc/passwd", with: path).utf8).write(to: file)
      let result = try await Program.run(["run", "-f", file.path])
      #expect(result.status == .exited(2) && result.output.isEmpty)
      #expect(result.errors.contains("it is outside of the folder of this document"), "\(result.errors)")
      #expect(!result.errors.contains("root:") && !result.errors.contains("secret"))
      let allowed = try await Program.run(["run", "--allow-outside", "-f", file.path])
      #expect(!allowed.errors.contains("is outside"))
    }
    // In a folder, the added file is no part of the cluster.
    try Data(document.replacing("/etc/passwd", with: "deep/more.yaml").utf8).write(to: file)
    try FileManager.default.removeItem(at: folder.appendingPathComponent("in/link.yaml"))
    let whole = try await Program.run(["render", "-f", folder.appendingPathComponent("in").path, "-o", "ipset"])
    #expect(whole.errors.contains("note: 2 objects read"), "\(whole.errors)")
  }

  @Test("messages are short, and tell how long the text was")
  func long() async throws {
    let name = String(repeating: "x", count: 1_000_000)
    let documents = [
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: \(name)}\n",
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: \(name)}\nspec: {containers: [{name: c}]}\n",
      "apiVersion: example.org/v1\nkind: \(name)\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Oops\n",
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {b: \(name)}}\nspec: {containers: [{name: c}]}\n",
    ]
    for text in documents {
      let result = try await Program.run(["render", "-f", "-", "-o", "ipset"], input: text)
      let lines = result.errors.split(separator: "\n")
      #expect(lines.allSatisfy { $0.count < 1000 }, "\(lines.map(\.count))")
      #expect(
        result.errors.contains("(1000000 characters)") || result.errors.contains("(1000"),
        "\(result.errors.prefix(300))")
    }
    let dump = "*filter\n:KUBE-ROUTER-INPUT - [0:0]\n-A KUBE-ROUTER-INPUT \(name)\nCOMMIT\n"
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("long-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data(dump.utf8).write(to: file)
    let result = try await Program.run(["compare", "-f", "-", "--iptables-save", file.path], input: podManifest)
    #expect(result.status == .exited(2) && result.errors.count < 3000, "\(result.errors.count)")
  }

  private let podManifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c}]}\n"

  @Test("devices are refused, pipes are read", arguments: ["/dev/zero", "/dev/random", "/dev/full"])
  func devices(path: String) async throws {
    let result = try await Program.run(["render", "-f", path, "-o", "ipset"])
    #expect(result.status == .exited(2))
    #expect(result.errors == "\(path): is neither a file nor a pipe\n", "\(result.errors)")
    let piped = try await Program.start(
      ["bash", "-c", "\(Program.path) render -o ipset -f <(cat)"], podManifest)
    #expect(piped.succeeded, "\(String(decoding: piped.stderr, as: UTF8.self))")
  }

  @Test("a file over 256 MiB is refused before it is read")
  func large() async throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("large-\(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data().write(to: file)
    #expect(truncate(file.path, (256 << 20) + 1) == 0)
    let result = try await Program.run(["render", "-f", file.path, "-o", "ipset"])
    #expect(result.status == .exited(2))
    #expect(result.errors.contains("has more than 256 MiB"), "\(result.errors)")
  }

  @Test("without a standard error or /proc the exit code is the same", .needsNamespaces)
  func machine() async throws {
    let example = repository.appendingPathComponent("examples/homelab-podselector").path
    let cases = [
      ("\(Program.path) render -f \(example) -o ipset >/dev/null 2>/dev/full", Int32(0)),
      ("\(Program.path) render -f /nonexist -o ipset 2>&-", 2),
      ("unshare -m bash -c 'mount -t tmpfs none /proc; \(Program.path) run -f /nonexist'", 2),
    ]
    for (script, status) in cases {
      let result = try await Program.start(["bash", "-c", script])
      #expect(result.ending == .exited(status), "\(script): \(String(decoding: result.stderr, as: UTF8.self))")
    }
  }

  @Test("lag without the ipset program is exit code 3, and prints no report", .needsNamespaces)
  func withoutIpset() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("sbin-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let script = """
      set -e
      mkdir \(folder)
      cp /usr/sbin/xtables-nft-multi /usr/sbin/nft \(folder)/
      for t in iptables iptables-restore iptables-save ip6tables ip6tables-restore ip6tables-save; do
        ln -s xtables-nft-multi \(folder)/$t
      done
      unshare -m bash -c "mount --bind \(folder) /usr/sbin; exec \(Program.path) lag --trials 2 --pods 10 --policies 5"
      """
    let result = try await Program.start(["bash", "-c", script])
    #expect(result.ending == .exited(3))
    #expect(result.stdout.isEmpty)
    let errors = String(decoding: result.stderr, as: UTF8.self)
    #expect(errors.contains("there is no ipset program; apt-get install ipset"), "\(errors)")
  }

  @Test("a plot's folder is checked before anything is measured, and only plots are overwritten", .needsNamespaces)
  func plot() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("plots-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let impossible = try await Program.run(["bench", "--pods", "5,10", "--rounds", "40", "--plot", "/proc/nope"])
    #expect(impossible.status == .exited(2) && impossible.output.isEmpty)
    #expect(impossible.errors.hasPrefix("--plot /proc/nope: can't be made"), "\(impossible.errors)")

    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let foreign = "\(folder)/first-packet-last-pod-routed-20-peers.svg"
    try Data("<svg>mine</svg>".utf8).write(to: URL(fileURLWithPath: foreign))
    let refused = try await Program.run(["bench", "--pods", "5,10", "--rounds", "40", "--plot", folder])
    #expect(refused.status == .exited(2) && refused.output.isEmpty)
    #expect(FileManager.default.contents(atPath: foreign) == Data("<svg>mine</svg>".utf8))
  }

  @Test("the number of steps has a ceiling, which the help tells")
  func steps() async throws {
    let result = try await Program.run(["fuzz", "--no-kernel", "--live", "--cases", "1", "--steps", "1000000"])
    #expect(result.status == .exited(2))
    #expect(result.errors.contains("--steps <1-1000>"), "\(result.errors)")
  }

  @Test("a doctor says what the machine has")
  func doctor() async throws {
    let result = try await Program.run(["doctor"])
    #expect(result.status == (Privilege.obstacle == nil ? .exited(0) : .exited(3)), "\(result.output)")
    for need in ["network namespaces", "iptables", "open files", "memory", "real-time scheduling"] {
      #expect(result.output.contains(need) || Privilege.obstacle != nil, "\(result.output)")
    }
  }
}
