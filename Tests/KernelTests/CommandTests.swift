// Not covered: children die when the whole process is killed. The end of the worker kills them, which is tested.
import Glibc
import Kernel
import TestSupport
import Testing

@Suite(.needsNamespaces) struct CommandTests {
  private let sandbox: Sandbox

  init() throws { sandbox = try Sandbox() }

  private func run(_ command: Command) async throws -> CommandResult {
    let (worker, namespace) = (sandbox.worker, sandbox.namespace)
    return try await blocking { try command.run(in: namespace, on: worker) }
  }

  @Test func aMegabyteGoesBothWays() async throws {
    let input = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let result = try await run(Command(["sh", "-c", "tee /dev/stderr"], input: input))
    #expect(result.succeeded)
    #expect(result.stdout == input)
    #expect(result.stderr == input)
  }

  @Test func itRunsInTheNamespace() async throws {
    let text = try await run(Command(["readlink", "/proc/self/ns/net"])).requireSuccess().text
    #expect(text == "net:[\(try sandbox.namespace.inode)]\n")
  }

  @Test func theExitStatusAndStandardErrorAreKept() async throws {
    let result = try await run(Command(["sh", "-c", "echo no such rule >&2; exit 4"]))
    #expect(result.ending == .exited(4))
    #expect { try result.requireSuccess() } throws: {
      "\($0)" == "sh -c echo no such rule >&2; exit 4: exit status 4: no such rule"
    }
    #expect(try await run(Command(["sh", "-c", "kill -TERM $$"])).ending == .signalled(SIGTERM))
  }

  @Test func itIsKilledAfterItsTimeout() async throws {
    let result = try await run(Command(["sh", "-c", "echo begun; exec sleep 30"], timeout: .milliseconds(200)))
    #expect(result.ending == .timedOut)
    #expect(result.text == "begun\n")
    #expect(result.duration < .seconds(10))
  }

  @Test func anEndlessWriterIsKilledToo() async throws {
    #expect(try await run(Command(["yes"], timeout: .milliseconds(100))).ending == .timedOut)
  }

  @Test func backgroundProcessesAreNotWaitedFor() async throws {
    let result = try await run(Command(["sh", "-c", "sleep 5 & echo done"]))
    #expect(result.text == "done\n")
    #expect(result.duration < .seconds(4))
  }

  @Test func itDiesWithTheWorkersThread() async throws {
    let worker = sandbox.worker
    async let result = run(Command(["sleep", "90"], timeout: .seconds(90)))
    let deadline = MonotonicClock.now + 600_000_000_000
    // The child has started once the namespace has a process in it. Closing earlier would refuse its start.
    while try !processes().contains("net:[\(sandbox.namespace.inode)]"), MonotonicClock.now < deadline {
      try await Task.sleep(for: .milliseconds(5))
    }
    worker.close()
    #expect(try await result.ending == .signalled(SIGKILL))
  }

  @Test func aMemoryFileIsFoundUnderItsPath() async throws {
    let file = try MemoryFile("lock", contents: Array("inside".utf8))
    let script = ["sh", "-c", "cat $LOCK; ls /proc/self/fd"]
    let result = try await run(Command(script, environment: ["LOCK": file.path], inherited: file))
    #expect(result.text.hasPrefix("inside"))
    // No other descriptor of this process is inherited. ls itself opens 3.
    let numbers = Set(result.text.dropFirst(6).split(separator: "\n").compactMap { Int32($0) })
    #expect(numbers.isSubset(of: [0, 1, 2, 3, 4, file.fd]))
    #expect(try await run(Command(["cat", file.path])).ending == .exited(1))
  }

  @Test func theEnvironmentIsSmall() async throws {
    let text = try await run(Command(["env"], environment: ["XTABLES_LOCKFILE": "/nowhere"])).text
    let names = Set(text.split(separator: "\n").compactMap { $0.split(separator: "=").first.map(String.init) })
    #expect(names.isSubset(of: ["PATH", "HOME", "TMPDIR", "LC_ALL", "XTABLES_LOCKFILE"]))
    #expect(names.isSuperset(of: ["PATH", "LC_ALL", "XTABLES_LOCKFILE"]))
  }

  @Test func theErrorOfAMissingProgramNamesIt() async throws {
    for name in ["no-such-program", "/no/such/program"] {
      await #expect { try await run(Command([name])) } throws: {
        ($0 as? KernelError)?.code == ENOENT && "\($0)".contains(name)
      }
    }
  }

  /// The network namespaces of all processes.
  private func processes() throws -> Set<String> {
    var links: Set<String> = []
    guard let directory = opendir("/proc") else { return links }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if let link = symbolicLink("/proc/\(name)/ns/net") { links.insert(link) }
    }
    return links
  }
}
