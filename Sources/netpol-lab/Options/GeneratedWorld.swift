import ArgumentParser
import Lag

/// The number of policies of a generated cluster.
struct GeneratedPolicies: Bounded {
  static let range = LagWorld.policyRange
  let value: Int
}

/// The number of pods of a generated cluster.
struct GeneratedPods: Bounded {
  static let range = LagWorld.podRange
  let value: Int
}

/// How many of those pods are on the first node.
struct GeneratedLocalPods: Bounded {
  static let range = LagWorld.localPodRange
  let value: Int
}

extension LagWorld {
  /// Throws `ValidationError` if there are more pods on the new pod's node than in the cluster.
  static func requireLocal(_ local: Int, of pods: Int) throws {
    if local > pods {
      throw ValidationError("--local \(local): write a number from 1 to \(pods), the number of all pods")
    }
  }
}
