import APIServer
import ArgumentParser
import Foundation
import Glibc
import Kernel
import Logging
import Manifests
import NetpolModel
import ServedAPI
import Text

struct ServeAPICommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve-api",
    abstract: "Serve your manifests as a Kubernetes API, for kubectl and for real controllers.",
    discussion: """
      It listens on this machine alone (127.0.0.1), without TLS. A kubeconfig says how to reach it. Pods get nodes and \
      addresses, workloads get pods, Services get EndpointSlices, also for what clients create. No container runs.

      serve-api -f DIR
      serve-api -f DIR --kubeconfig FILE --watch-files
      kubectl --kubeconfig FILE get pods -A
      """)

  @OptionGroup var input: ManifestOptions

  struct Port: Bounded {
    static let range = 0...65535
    let value: Int
  }

  struct Milliseconds: Bounded {
    static let range = 0...600_000
    let value: Int
  }

  @Option(help: Port.help("Where to listen. 0: any free port."))
  var port = Port(value: 0)

  @Option(
    help: ArgumentHelp(
      "The kubeconfig to write, for you alone (mode 0600). It is removed at the end.", valueName: "file"))
  var kubeconfig = "netpol-lab.kubeconfig"

  @Option(
    help: "What watches get that ask for the objects as events: the stream that Kubernetes 1.34 gives, or a refusal.")
  var watchList = WatchList.stream

  enum WatchList: String, ExpressibleByArgument, CaseIterable {
    case stream, refuse
  }

  @Option(help: Milliseconds.help("From a pod's creation until it has a node, in milliseconds."))
  var bindDelay = Milliseconds(value: 20)

  @Option(help: Milliseconds.help("From then until it runs and has an address, in milliseconds."))
  var startDelay = Milliseconds(value: 200)

  @Option(help: Milliseconds.help("From a pod's deletion until it is gone, in milliseconds."))
  var stopDelay = Milliseconds(value: 200)

  @Flag(help: "Follow the files of -f: what changes there changes in the API.")
  var watchFiles = false

  @Flag(help: "Tell of each request on standard error.")
  var logRequests = false

  func run() throws {
    // Before any other thread.
    Interruption.listen(andEndBy: [SIGTERM, SIGHUP, SIGQUIT])
    if watchFiles, input.files.contains("-") {
      throw InputError("--watch-files: standard input can't be followed; name files or directories")
    }
    // Before they are read, so that no change in between is missed.
    var followed = FollowedFiles(watchFiles ? input.files : [])
    var (cluster, objects) = try load()
    cluster.watchList = watchList == .stream ? .stream : .refuse
    // Reading needs many times what is kept.
    FreeMemory.returnFreed()
    var options = APIServer.Options(token: ServedFiles.secret)
    if logRequests { options.log = Logger(label: "api", factory: StandardErrorLog.init) }
    // A second owner would make the first change copy it.
    let server = APIServer(consume cluster, options)
    let port = try server.start(at: .address("127.0.0.1", port: port.value))
    defer { server.stop() }
    let file = try KubeconfigFile(kubeconfig, server: "http://127.0.0.1:\(port)/\(options.token)")
    defer { file.remove() }
    Terminal.say(Self.text(server.snapshot, port))
    Terminal.say("note: kubectl --kubeconfig \(kubeconfig) get pods -A; Ctrl-C ends it")
    while !Interruption.isAsked {
      Thread.sleep(forTimeInterval: 0.2)
      guard watchFiles, followed.haveChanged() else { continue }
      do {
        let new = try fileObjects(try input.sourcesAgain())
        let old = objects
        let result = server.change { cluster, now in Result { try cluster.follow(old, new, now) } }
        let changes = try result.get()
        objects = new
        if changes > 0 { Terminal.say("note: \(counted(changes, "object")) changed in the files") }
      } catch let error as any UserFacingError {
        Terminal.say("warning: the files are not followed until this is mended: \(error)")
      }
    }
  }

  /// The cluster, and the objects of the files if these are followed.
  private func load() throws -> (ServedCluster, [FileObject]) {
    let (reading, sources) = try input.readingAndSources(replicas: ManifestOptions.Replicas.range.upperBound)
    let objects = try fileObjects(sources)
    FreeMemory.returnFreed()
    let pace = Controllers.Pace(bind: bindDelay.value, start: startDelay.value, stop: stopDelay.value)
    let cluster = try ServedCluster(
      reading, objects, resourceVersion: ServedFiles.firstResourceVersion, pace: pace, seed: .random(in: .min ... .max),
      APITime(milliseconds: Int(Date().timeIntervalSince1970 * 1000)))
    return (cluster, watchFiles ? objects : [])
  }

  private static func text(_ cluster: ServedCluster, _ port: Int) -> String {
    let store = cluster.store
    let counts = [
      counted(store.keys(.nodes).count, "node"), counted(store.keys(.pods).count, "pod"),
      counted(store.keys(.services).count, "Service"),
      counted(store.keys(.networkPolicies).count, "NetworkPolicy", "NetworkPolicies"),
    ]
    return "note: serving \(counts.joined(separator: ", ")) at http://127.0.0.1:\(port), for who has the kubeconfig"
  }
}
