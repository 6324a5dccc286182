import Foundation
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces) struct SideBySideTests {
  /// An iptables-restore that waits for another one with rules of Kubernetes. If none comes, no later one waits.
  private static let waiting = """
    #!/bin/sh
    here=$(dirname "$0")
    input=$(cat)
    case "$input" in *KUBE-*)
      touch "$here/running.$$"
      tries=0
      while [ ! -e "$here/overlap" ] && [ ! -e "$here/alone" ]; do
        [ "$(ls "$here" | grep -c running)" -ge 2 ] && touch "$here/overlap"
        tries=$((tries + 1))
        [ $tries -ge 200 ] && touch "$here/alone"
        sleep 0.05
      done
    esac
    printf '%s\\n' "$input" | PATH=/usr/sbin:/sbin:$PATH $(basename "$0") "$@"
    status=$?
    rm -f "$here/running.$$"
    exit $status

    """

  @Test("two nodes' rules are loaded at the same time")
  func overlap() async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("side-by-side-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let program = folder.appendingPathComponent("iptables-restore")
    try Self.waiting.write(to: program, atomically: true, encoding: .utf8)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program.path)
    let world = folder.appendingPathComponent("world.yaml")
    try (webAndClient + secondWeb).write(to: world, atomically: true, encoding: .utf8)

    let result = try await blocking {
      let worker = try NamespaceWorker()
      let path = "\(folder.path):\(ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin")"
      return try Command(
        [Program.path, "run", "-f", world.path], environment: ["PATH": path], timeout: .seconds(120)
      ).run(on: worker)
    }
    #expect(result.ending == .exited(0), "\(String(decoding: result.stderr, as: UTF8.self))")
    #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("overlap").path))
  }
}
