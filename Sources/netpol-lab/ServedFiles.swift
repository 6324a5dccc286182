import APIServer
import Foundation
import Manifests
import NetpolModel
import ServedAPI
import Text
import Worlds

/// Manifests as an API at a socket of the lab, and the kubeconfig that names it.
final class ServedFiles {
  private let cluster: ServedCluster
  private var server: APIServer?
  private var file: KubeconfigFile?

  /// A cluster as it stands in the lab: its pods one by one, with their addresses, and no workloads that could make others.
  init(_ cluster: Cluster) throws {
    let sources = [ManifestSource(name: "lab", text: cluster.manifest)]
    let reading = try readManifests(sources, options: ReadOptions(validation: .asStored))
    self.cluster = try ServedCluster(
      reading, fileObjects(sources), resourceVersion: Self.firstResourceVersion, seed: .random(in: .min ... .max),
      APITime(milliseconds: Int(Date().timeIntervalSince1970 * 1000)))
  }

  /// Serves at a bound socket, which this owns from then on. `place`: how others reach it. Returns the environment of who
  /// shall use it.
  func start(at socket: Int32, _ place: String) throws -> [String] {
    let options = APIServer.Options(token: Self.secret)
    let server = APIServer(cluster, options)
    self.server = server
    _ = try server.start(at: .socket(socket))
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("netpol-lab.\(Self.secret.prefix(12))")
      .path
    let file = try KubeconfigFile(path, server: "http://\(place)/\(options.token)")
    self.file = file
    Terminal.say("note: the API is at http://\(place) for who has the kubeconfig: KUBECONFIG names it")
    return ["KUBECONFIG=\(file.path)"]
  }

  func stop() {
    server?.stop()
    file?.remove()
  }

  /// From a clock, so that no earlier server had a higher one: in microseconds since 1970.
  static var firstResourceVersion: UInt64 { UInt64(max(Date().timeIntervalSince1970, 0) * 1_000_000) }

  /// 128 random bits.
  static var secret: String {
    var random = SystemRandomNumberGenerator()
    return (0..<2).map { _ in (random.next() as UInt64).hexadecimal(16) }.joined()
  }
}
