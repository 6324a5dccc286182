extension BenchCommand {
  func runMicro() throws { throw InputError("bench: micro is not there yet") }
}
