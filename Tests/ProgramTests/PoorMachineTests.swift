// Each machine that lacks something is made with unshare(1), setpriv(1) and ulimit. Not covered: a machine whose memory
// runs out during a run, which the kernel answers by killing the process.
import Foundation
import Kernel
import TestSupport
import Testing

/// A machine that lacks something.
private struct PoorMachine: CustomTestStringConvertible, Sendable {
  let testDescription: String
  /// Shell text before the program and its arguments. `$run` is the program.
  let script: String
  /// What the message tells: what is wrong, and what to do.
  let message: [String]

  /// In a user namespace, whose limits belong to nobody else. `prefix` is a command that starts the program.
  private static func unshared(_ setUp: String, prefix: String = "") -> String {
    "exec unshare -Urnm sh -c '\(setUp) && exec \(prefix) \"$0\" \"$@\"' $run"
  }

  static let all = [
    PoorMachine(
      testDescription: "open files", script: "ulimit -n 24; exec $run",
      message: ["Too many open files", "may have 24 files open", "ulimit -n 65536"]),
    PoorMachine(
      testDescription: "open files, fewer than a program needs to start another", script: "ulimit -n 8; exec $run",
      message: ["Too many open files", "may have 8 files open"]),
    PoorMachine(
      testDescription: "network namespaces",
      script: unshared("echo 5 > /proc/sys/user/max_net_namespaces"),
      message: ["make a network namespace", "ENOSPC", "sysctl user.max_net_namespaces"]),
    PoorMachine(
      testDescription: "a single network namespace",
      script: unshared("echo 1 > /proc/sys/user/max_net_namespaces"),
      message: ["make a network namespace", "ENOSPC", "sysctl user.max_net_namespaces"]),
    PoorMachine(
      testDescription: "a writable /proc/sys",
      script: unshared("mount --bind /proc/sys /proc/sys && mount -o remount,ro,bind /proc/sys"),
      message: ["Read-only file system", "docker run --privileged"]),
    PoorMachine(
      testDescription: "/proc", script: unshared("mount -t tmpfs none /proc"),
      message: ["mount -t proc proc /proc"]),
    PoorMachine(
      testDescription: "CAP_NET_RAW and user namespaces", script: withoutUserNamespaces("net_raw"),
      message: ["needs CAP_NET_RAW, or user namespaces", "docker run --privileged"]),
    PoorMachine(
      testDescription: "CAP_NET_ADMIN and user namespaces", script: withoutUserNamespaces("net_admin"),
      message: ["needs CAP_NET_ADMIN, or user namespaces", "docker run --privileged"]),
  ]

  private static func withoutUserNamespaces(_ capability: String) -> String {
    unshared(
      "echo 0 > /proc/sys/user/max_user_namespaces",
      prefix: "setpriv --bounding-set=-\(capability) --inh-caps=-\(capability)")
  }
}

@Suite("A poor machine", .needsNamespaces) struct PoorMachineTests {
  private static let world = repository.appendingPathComponent("examples/homelab-podselector").path

  private func run(_ script: String, _ arguments: String) async throws -> (status: CommandEnding, String, String) {
    let script = script.replacing("$run", with: "\(Program.path) \(arguments)")
    let result = Program.Result(try await Program.start(["bash", "-c", script]))
    return (result.status, result.output, result.errors)
  }

  @Test("is exit code 3 for every command, with what to do, and no verdict", arguments: PoorMachine.all)
  fileprivate func fault(machine: PoorMachine) async throws {
    for command in [
      "run -f \(Self.world)", "lag --trials 1 --pods 10 --policies 5", "bench --rounds 20 --pods 5,10",
      "fuzz --cases 2",
    ] {
      let (status, output, errors) = try await run(machine.script, command)
      #expect(status == .exited(3), "\(command): \(output)\(errors)")
      #expect(output.isEmpty)
      for part in machine.message { #expect(errors.contains(part), "\(command): \(errors)") }
    }
  }

  @Test(
    "whose programs are missing or don't work gives no verdict and says what to install",
    arguments: [
      ("iptables-restore", "echo broken >&2; exit 1", "exit status 1: broken", "iptables"),
      ("iptables-restore", "kill -SEGV $$", "killed by signal 11", "iptables"),
      ("iptables-restore", "exit 0", "what was loaded is not there", "iptables"),
      ("ip6tables-restore", "exit 5", "exit status 5", "iptables"),
      ("iptables-save", "exit 1", "exit status 1", "iptables"),
      ("ipset", "exit 1", "exit status 1", "ipset"),
      ("nft", "head -c 3000000 /dev/zero; exit 1", "exit status 1", "nftables"),
    ])
  func brokenProgram(name: String, script: String, why: String, package: String) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("broken-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let program = folder.appendingPathComponent(name).path
    try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(fileURLWithPath: program))
    chmod(program, 0o755)
    let style = package == "nftables" ? "kube-router-2.11-nft" : "kube-router-2.6-k3s"
    for command in [
      "lag --trials 1 --pods 10 --policies 5 --style \(style)", "bench --rounds 20 --pods 5,10", "fuzz --cases 2",
    ] {
      let (status, output, errors) = try await run("export PATH=\(folder.path):$PATH; exec $run", command)
      #expect(status == .exited(3) && output.isEmpty, "\(command): \(output)\(errors)")
      #expect(errors.contains(why) && errors.contains("apt-get install --reinstall \(package)"), "\(errors)")
    }
    let (_, output, _) = try await run("export PATH=\(folder.path):$PATH; exec $run", "doctor")
    #expect(output.contains("apt-get install --reinstall \(package)"), "\(output)")
  }

  @Test("that can't start all threads of a measurement is exit code 3, without a hang")
  func threads() async throws {
    let (status, output, errors) = try await run(
      "ulimit -v 1000000; exec timeout 100 $run", "lag --trials 1 --pods 10 --policies 5")
    #expect(status == .exited(3) && output.isEmpty && errors.contains("ulimit -v"), "\(output)\(errors)")
  }

  @Test("is told by the doctor before", arguments: PoorMachine.all.dropFirst(3))
  fileprivate func doctor(machine: PoorMachine) async throws {
    let (status, output, _) = try await run(machine.script, "doctor")
    #expect(status == .exited(3) && output.contains("This machine can't run the lab."), "\(output)")
    let words = output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    if let remedy = machine.message.last { #expect(words.contains(remedy), "\(output)") }
  }

  @Test("whose root lacks capabilities still gives verdicts in a user namespace", arguments: ["net_raw", "net_admin"])
  func capabilities(name: String) async throws {
    let (status, output, errors) = try await run(
      "exec setpriv --bounding-set=-\(name) --inh-caps=-\(name) $run", "run -f \(Self.world)")
    #expect(status == .exited(0), "\(errors)")
    #expect(output.contains("0 disagreements") || output.contains("kernel: 0"), "\(output)")
  }
}
