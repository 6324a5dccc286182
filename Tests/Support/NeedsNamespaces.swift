internal import Foundation
internal import Kernel
package import Testing

/// Whether tests with namespaces can run here. With REQUIRE_NETNS=1 they run anyway, and fail if they can't.
package let canRunLab =
  Privilege.canMakeNamespaces || ProcessInfo.processInfo.environment["REQUIRE_NETNS"] == "1"

extension Trait where Self == ConditionTrait {
  /// For tests that create namespaces.
  package static var needsNamespaces: Self {
    .enabled(if: canRunLab, "needs root or a user namespace (unshare -Urnm swift test)")
  }
}
