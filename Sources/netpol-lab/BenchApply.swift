extension BenchCommand {
  func runApply() throws { throw InputError("bench: apply is not there yet") }
}
