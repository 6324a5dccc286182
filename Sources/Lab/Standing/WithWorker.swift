package import Kernel
internal import Network

/// Runs `body` with a worker and the names of all programs, where this machine can have a lab. What it throws becomes a
/// `LabFailure`, but for `NothingToAsk`. Without namespaces it throws `LabError`.
package func withWorker<Result>(
  version: String, style: String = "all", _ body: (LabEnvironment, NamespaceWorker) throws -> Result
) throws -> Result {
  try OpenFiles.raiseLimit()
  if let obstacle = Privilege.obstacle { throw LabError(obstacle) }
  let worker = try NamespaceWorker()
  defer { worker.close() }
  let environment = try LabEnvironment(version: version, style: style, worker: worker)
  do {
    try environment.requireLab(on: worker)
    return try body(environment, worker)
  } catch let error as NothingToAsk {
    throw error
  } catch let error as Interrupted {
    throw error
  } catch {
    throw LabFailure(environment: environment, error: error)
  }
}
