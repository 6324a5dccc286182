extension BenchCommand {
  func runEngines() throws { throw InputError("bench: engines is not there yet") }
}
