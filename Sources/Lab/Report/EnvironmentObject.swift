internal import StandingLab

struct EnvironmentObject: Encodable {
  let version, style, kernel, iptables, nft, ipset: String
  init(_ environment: LabEnvironment) {
    version = environment.version
    style = environment.style
    kernel = environment.kernel
    iptables = "\(environment.iptables)"
    nft = "\(environment.nft)"
    ipset = "\(environment.ipset)"
  }
}
