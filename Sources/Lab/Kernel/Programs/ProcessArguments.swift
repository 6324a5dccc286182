internal import CLinux

/// The arguments of this process, after the program's name. Unlike `CommandLine`, which reads /proc/self/cmdline, they
/// are there without /proc.
public var processArguments: [String] {
  var arguments: [String] = []
  guard let values = cl_arguments() else { return arguments }
  var index = 1
  while values[0] != nil, let value = values[index] {
    arguments.append(String(cString: value))
    index += 1
  }
  return arguments
}
