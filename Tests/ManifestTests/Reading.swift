// Shorthand for the tests of this target. Contains no tests.
import Manifests
import NetpolModel

/// Reads the texts under the names a.yaml, b.yaml and so on.
func read(_ texts: String..., options: ReadOptions = .init()) throws(ManifestError) -> ManifestReading {
  let names = ["a.yaml", "b.yaml", "c.yaml"]
  return try readManifests(zip(names, texts).map { ManifestSource(name: $0, text: $1) }, options: options)
}

/// The error line, or `accepted`.
func refusal(_ texts: String..., validation: Validation = .apiServer) -> String {
  let names = ["a.yaml", "b.yaml", "c.yaml"]
  do {
    _ = try readManifests(
      zip(names, texts).map { ManifestSource(name: $0, text: $1) }, options: ReadOptions(validation: validation))
    return "accepted"
  } catch {
    return error.description
  }
}

/// A NetworkPolicy shop/web whose spec starts on line 4.
func policyText(_ spec: String) -> String {
  """
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: web, namespace: shop}
  spec: \(spec)
  """
}

func policy(_ spec: String, validation: Validation = .apiServer) throws -> NetworkPolicy {
  let reading = try read(policyText(spec), options: ReadOptions(validation: validation))
  guard let policy = reading.cluster.policies.first else { throw Missing() }
  return policy
}

struct Missing: Error {}

func podText(_ name: String, namespace: String = "default", node: String? = nil, ip: String? = nil, more: String = "")
  -> String
{
  """
  apiVersion: v1
  kind: Pod
  metadata: {name: \(name), namespace: \(namespace)}
  spec: {\(node.map { "nodeName: \($0), " } ?? "")containers: [{name: c}]}
  \(ip.map { "status: {phase: Running, podIP: \"\($0)\"\(more)}" } ?? "")
  ---

  """
}

/// A Service whose spec starts on line 4. It gets a port if it needs one.
func serviceText(_ spec: String, metadata: String = "name: s", status: String = "{}") -> String {
  let isComplete = ["ports:", "None", "ExternalName"].contains { spec.contains($0) }
  let spec = isComplete ? spec : spec.replacing("{", with: "{ports: [{port: 80}], ", maxReplacements: 1)
  return "apiVersion: v1\nkind: Service\nmetadata: {\(metadata)}\nspec: \(spec)\nstatus: \(status)\n---\n"
}

extension ManifestReading {
  func pod(_ id: String) -> Pod? { cluster.pods.first { "\($0.id)" == id } }
  var texts: [String] { notes.map(\.text) }
}

func address(_ text: String) throws -> IPAddress {
  guard let address = IPAddress(text) else { throw Missing() }
  return address
}

func cidr(_ text: String) throws -> CIDR {
  guard let cidr = CIDR(text) else { throw Missing() }
  return cidr
}
