internal import Glibc
internal import Kernel
internal import NetpolModel
internal import Network

/// What the lab needs of a machine, each with whether it is there.
public struct MachineCheck: Sendable {
  /// A need, and what is the case.
  public struct Need: Hashable, Sendable {
    public let name: String
    /// What was found: a version, a number, or why it is missing.
    public let found: String
    /// What is impossible without it. `nil` if nothing is missing.
    public var loss: String?
    /// What to do about it.
    public var remedy: String?
    /// Whether no verdict can be had without it.
    public var isVital = false
  }

  public private(set) var needs: [Need] = []
  /// Whether `run` can give verdicts here.
  public var canRun: Bool { !needs.contains { $0.isVital && $0.loss != nil } }

  private let isInUserNamespace: Bool
  private let refusal: String?

  /// Looks at everything. Builds a namespace or two, and changes nothing else. `refusal` tells why the process could not
  /// get the rights that it needs.
  public init(isInUserNamespace: Bool, refusal: String?) {
    self.isInUserNamespace = isInUserNamespace
    self.refusal = refusal
    checkProc()
    checkOpenFiles()
    checkMemory()
    checkProcesses()
    checkNamespaces()
    checkScheduling()
  }

  private mutating func found(_ name: String, _ what: String) { needs.append(Need(name: name, found: what)) }

  private mutating func lacks(_ name: String, _ what: String, _ loss: String, _ remedy: String?, isVital: Bool = false)
  {
    needs.append(Need(name: name, found: what, loss: loss, remedy: remedy, isVital: isVital))
  }

  private mutating func checkProc() {
    if access("/proc/sys/net", F_OK) != 0 {
      lacks("/proc", "missing", "no verdict", "mount -t proc proc /proc", isVital: true)
    } else if access("/proc/sys/net/ipv4/ip_forward", W_OK) != 0 {
      lacks(
        "/proc/sys", "read-only", "no verdict: nodes can't be made to forward",
        "in a container, run it with a writable /proc/sys (docker run --privileged)", isVital: true)
    } else {
      found("/proc/sys", "writable")
    }
  }

  private mutating func checkOpenFiles() {
    // A namespace and each socket of a pod count as one: 949 for 400 pods with one port each, more with more ports.
    do throws(KernelError) {
      let limit = try OpenFiles.raiseLimit()
      // The lab itself takes some 100.
      if limit < 128 {
        lacks("open files", "\(limit)", "no verdict", "ulimit -Hn 65536, as root", isVital: true)
      } else if limit < 4096 {
        lacks(
          "open files", "\(limit)", "clusters of more than some \((limit - 100) / 12) pods", "ulimit -Hn 65536, as root"
        )
      } else {
        found("open files", "\(limit)")
      }
    } catch { lacks("open files", "\(error)", "large clusters", nil) }
  }

  private mutating func checkMemory() {
    guard let memory = FreeMemory.now else { return }
    let text = "\(memory.bytes >> 20) MiB free" + (memory.isOfControlGroup ? ", the control group's limit" : "")
    if memory.bytes < 512 << 20 {
      let pods = memory.bytes / MemoryNeed.namespaces(1).bytes
      lacks(
        "memory", text, "clusters of more than some \(pods) pods", "end other programs, or give the container more")
    } else {
      found("memory", text)
    }
  }

  /// Threads count too. `lag` has about 20 and starts programs.
  private mutating func checkProcesses() {
    guard let limits = try? ProcessLimits() else { return }
    if let processes = limits.processes, processes < 100 {
      lacks("processes", "at most \(processes)", "lag, and perhaps everything", "ulimit -u 1000, as root")
    }
    if let bytes = limits.addressSpace, bytes < 4 << 30 {
      lacks("address space", "at most \(bytes >> 20) MiB", "lag, and large clusters", "ulimit -v unlimited")
    }
  }

  private mutating func checkNamespaces() {
    if let obstacle = refusal ?? Privilege.obstacle {
      return lacks("network namespaces", obstacle, "no verdict", nil, isVital: true)
    }
    let limit = (try? Sysctl.read("user/max_net_namespaces")).flatMap { Int($0) } ?? .max
    if limit < 1000 {
      lacks(
        "network namespaces", "at most \(limit)", "clusters of more than some \(limit) pods",
        "sysctl user.max_net_namespaces=100000")
    } else {
      found("network namespaces", isInUserNamespace ? "in a user namespace" : "yes")
    }
    do {
      let worker = try NamespaceWorker()
      defer { worker.close() }
      for missing in try KernelFeatures.missing(on: worker) {
        lacks(
          missing.feature.module, "\(missing.error)", "no verdict",
          "\(missing.feature.command) (effect on the host: \(missing.feature.effectOnHost))", isVital: true)
      }
      let environment = try LabEnvironment(version: "", style: "", worker: worker)
      checkProgram(.iptables, environment.iptables, "no verdict", isVital: true)
      checkProgram(.ipset, environment.ipset, "lag with kube-router's iptables styles, bench, fuzz --live")
      checkProgram(.nft, environment.nft, "lag with kube-router's nft style, bench, fuzz --live")
    } catch { lacks("a namespace", "\(error)", "no verdict", nil, isVital: true) }
    if NetlinkSocket.canForceBuffers {
      found("large netlink messages", "yes")
    } else {
      lacks(
        "large netlink messages", "no: CAP_NET_ADMIN on the host is needed",
        "lag loads iptables rules in parts, which kube-router doesn't, and bench apply measures small rule sets only",
        "run as root, outside of a user namespace")
    }
  }

  private mutating func checkProgram(
    _ program: ProgramVersion.Program, _ version: ProgramVersion, _ loss: String, isVital: Bool = false
  ) {
    let name = program.rawValue
    switch version {
    case .found(let version): found(name, version)
    case .unasked: break
    case .missing: lacks(name, "not installed", loss, "apt-get install \(program.package)", isVital: isVital)
    case .broken(let why): lacks(name, why, loss, "apt-get install --reinstall \(program.package)", isVital: isVital)
    }
  }

  private mutating func checkScheduling() {
    if let obstacle = RealTimeScheduling.obstacle(to: 1) {
      lacks(
        "real-time scheduling", "\(obstacle)", "lag and bench are noisier", "run as root, or raise ulimit -r")
    } else {
      found("real-time scheduling", "yes")
    }
  }
}
