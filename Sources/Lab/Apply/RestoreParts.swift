internal import Kernel

/// The input of `iptables-restore` in one or several parts. The first replaces the table, the others append to it, and
/// after the last one the table is as if all had been one.
///
/// iptables-nft sends a part as one netlink message. It asks for a large send buffer with SO_SNDBUFFORCE alone, which
/// is
/// refused in a user namespace. There a message can have no more than net.core.wmem_default bytes (212,992).
package struct RestoreParts: Sendable {
  package struct Part: Hashable, Sendable {
    package let text: [UInt8]
    /// Whether the part goes to `iptables-restore --noflush`.
    package let appends: Bool
  }

  package let parts: [Part]

  /// The table as this process can load it: at once, as kube-router does, or in parts if it may not send so much.
  package init(loadable text: [UInt8]) { self = NetlinkSocket.canForceBuffers ? Self(whole: text) : Self(text) }

  /// The table as one part.
  package init(whole text: [UInt8], appends: Bool = false) { parts = [Part(text: text, appends: appends)] }

  /// Changes to a table, as this process can load them.
  package init(loadableChanges text: [UInt8]) {
    self = NetlinkSocket.canForceBuffers ? Self(whole: text, appends: true) : Self(text, appends: true)
  }

  /// One table in parts, each with at most `limit` chains or rules. A rule takes at most 1.5 KiB of a message. With
  /// `appends` they are changes to a table.
  package init(_ text: [UInt8], limit: Int = 100, appends: Bool = false) {
    let lines = text.split(separator: UInt8(ascii: "\n"))
    let table = lines.first { $0.first == UInt8(ascii: "*") } ?? []
    // All chains come before the rules that jump to them.
    let chains = lines.filter { $0.first == UInt8(ascii: ":") }
    let rules = lines.filter { $0.first == UInt8(ascii: "-") }
    var parts: [Part] = []
    for piece in Self.pieces(chains, limit) + Self.pieces(rules, limit) {
      let body = ([table] + piece + [Array("COMMIT".utf8)[...]]).joined(separator: [UInt8(ascii: "\n")])
      parts.append(Part(text: body + [UInt8(ascii: "\n")], appends: appends || !parts.isEmpty))
    }
    self.parts = parts.isEmpty ? [Part(text: text, appends: appends)] : parts
  }

  private static func pieces(_ lines: [ArraySlice<UInt8>], _ limit: Int) -> [[ArraySlice<UInt8>]] {
    stride(from: 0, to: lines.count, by: limit).map { Array(lines[$0..<min($0 + limit, lines.count)]) }
  }
}
