internal import CLinux
internal import Glibc

/// A child process. It is killed and reaped with this value if nothing has waited for it.
struct Child: ~Copyable, Sendable {
  let pid: Int32
  /// Becomes readable when the child has ended (pidfd_open(2)).
  let pidfd: Int32

  /// Starts the program in the namespaces of the calling thread. The child dies with that thread.
  ///
  /// The corresponding C functions are `vfork`, `prctl(PR_SET_PDEATHSIG)` and `execve`.
  static func start(
    _ path: String, _ arguments: [String], _ environment: [String], stdin: Int32, stdout: Int32, stderr: Int32,
    keep: Int32
  ) throws(KernelError) -> Child {
    let pid = try named("run \(path)") {
      try withCStrings(arguments) { arguments in
        try withCStrings(environment) { environment in
          try checked("run \(path)", cl_spawn(path, arguments, environment, [stdin, stdout, stderr], keep))
        }
      }
    }
    let child = Child(pid: pid, pidfd: cl_pidfd_open(pid))
    try checked("pidfd_open", child.pidfd)
    return child
  }

  private init(pid: Int32, pidfd: Int32) {
    self.pid = pid
    self.pidfd = pidfd
  }

  deinit {
    Glibc.kill(pid, SIGKILL)
    _ = try? Self.reap(pid)
    if pidfd >= 0 { close(pidfd) }
  }

  /// Waits for the child to end, until `deadline` on the monotonic clock, and reads its output meanwhile.
  ///
  /// The corresponding C functions are `poll` and `waitpid`.
  consuming func wait(
    until deadline: UInt64, _ stdout: inout CapturedOutput, _ stderr: inout CapturedOutput
  ) throws(KernelError) -> CommandEnding {
    var late = false
    while true {
      let now = MonotonicClock.now
      late = now >= deadline
      if late { break }
      let milliseconds = Int32(clamping: (deadline - now + 999_999) / 1_000_000)
      let numbers = [pidfd, stdout.pollNumber, stderr.pollNumber]
      var polled = numbers.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      try call("poll") { poll(&polled, nfds_t(polled.count), milliseconds) }
      // Checked before the pipes are drained: everything the child wrote before its end is then in them.
      let ended = polled[0].revents != 0
      try stdout.drain()
      try stderr.drain()
      if ended { break }
    }
    // The child isn't reaped yet, so its PID can't have been reused.
    if late { kill(pid, SIGKILL) }
    let ending = try reap()
    if late {
      try stdout.drain()
      try stderr.drain()
    }
    return late && ending == .signalled(SIGKILL) ? .timedOut : ending
  }

  private consuming func reap() throws(KernelError) -> CommandEnding {
    let (pid, pidfd) = (pid, pidfd)
    discard self
    close(pidfd)
    let status = try Self.reap(pid)
    // WIFEXITED, WEXITSTATUS and WTERMSIG are macros.
    return status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
  }

  private static func reap(_ pid: Int32) throws(KernelError) -> Int32 {
    var status: Int32 = 0
    try call("waitpid") { waitpid(pid, &status, 0) }
    return status
  }
}

/// An array of C strings with a null pointer at its end, as `execve` takes it.
func withCStrings<Result>(
  _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) throws -> Result
) rethrows -> Result {
  let copies = strings.map { strdup($0) } + [nil]
  defer { for copy in copies { free(copy) } }
  return try body(copies)
}
