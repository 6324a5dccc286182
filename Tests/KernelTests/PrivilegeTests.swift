// Covers what this host allows. Not covered: entering a user namespace, which only a process with one thread can do.
import Glibc
import Kernel
import TestSupport
import Testing

@Test func anObstacleIsExplained() {
  #expect(Privilege.canMakeNamespaces == (Privilege.obstacle == nil))
}

@Test(.needsNamespaces) func aMissingFeatureNamesTheCommandThatLoadsIt() throws {
  for missing in try KernelFeatures.missing(on: NamespaceWorker()) {
    #expect("\(missing)".contains("modprobe \(missing.feature.module)"))
  }
  #expect(KernelFeature.bridgeNetfilter.effectOnHost.contains("the host's own bridged traffic"))
}

@Test(.needsNamespaces) func sysctlsBelongToTheNamespace() throws {
  let sandbox = try Sandbox()
  let path = "net/ipv4/ip_forward"
  let home = try sandbox.worker.onThread { try Sysctl.read(path) }
  try sandbox.run {
    try Sysctl.write(path, "1")
    #expect(try Sysctl.read(path) == "1")
    try Sysctl.write(path, "0")
    #expect(try Sysctl.read(path) == "0")
  }
  #expect(try sandbox.worker.onThread { try Sysctl.read(path) } == home)
  #expect(!Sysctl.exists("net/no/such"))
  #expect { try Sysctl.write("net/no/such", "1") } throws: {
    "\($0)" == "sysctl net/no/such = 1: No such file or directory (ENOENT)"
  }
}

@Test func theOpenFilesLimitIsRaisedToTheHardLimit() throws {
  #expect(try OpenFiles.raiseLimit() == OpenFiles.raiseLimit())
}

@Test func theClockGoesForward() {
  let before = MonotonicClock.now
  #expect(MonotonicClock.now >= before)
}

@Test func ipsetsOwnCodesHaveNames() {
  #expect("\(KernelError("ipset swap A B", code: 4102))" == "ipset swap A B: IPSET_ERR_TYPE_MISMATCH")
  #expect("\(KernelError("x", code: 2))" == "x: No such file or directory (ENOENT)")
}
