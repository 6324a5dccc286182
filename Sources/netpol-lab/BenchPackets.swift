import ArgumentParser

extension BenchCommand {
  func runPackets() throws { throw InputError("bench: packets is not there yet") }
}

/// What the sweep goes over.
struct PacketBenchOptions: ParsableArguments {}
