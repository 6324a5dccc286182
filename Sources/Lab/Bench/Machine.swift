internal import Foundation
internal import Text

/// The processor's name and the number of processors, from /proc/cpuinfo.
func machineText() -> String {
  let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
  let lines = text.split(separator: "\n")
  let processors = lines.count { $0.hasPrefix("processor") }
  let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last.map { $0.drop { $0 == " " } }
  return "\(name.map(String.init) ?? "unknown processor"), \(counted(processors, "processor"))"
}
