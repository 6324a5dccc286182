import Foundation
import Glibc

/// A kubeconfig that names one server. Only its owner can read it, since the server's address holds the secret.
struct KubeconfigFile {
  let path: String
  private let content: String

  /// Writes the file. Throws `OutputError` if that fails, or if the file is there and isn't one that this program wrote.
  init(_ path: String, server: String) throws {
    self.path = path
    content = """
      \(Self.mark), process \(getpid()), which removes it at its end.
      apiVersion: v1
      kind: Config
      clusters:
      - name: netpol-lab
        cluster: {server: "\(server)"}
      contexts:
      - name: netpol-lab
        context: {cluster: netpol-lab, user: netpol-lab}
      current-context: netpol-lab
      users:
      - name: netpol-lab
        user: {}

      """
    if let before = FileManager.default.contents(atPath: path) {
      let text = String(decoding: before, as: UTF8.self)
      guard text.hasPrefix(Self.mark) else {
        throw InputError("--kubeconfig \(path): the file is there already; name another")
      }
      if let owner = Self.runningOwner(text) {
        throw InputError("--kubeconfig \(path): process \(owner) serves by it; name another file")
      }
      unlink(path)
    }
    let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard file >= 0 else {
      throw InputError("--kubeconfig \(path): can't be written: \(String(cString: strerror(errno)))")
    }
    defer { close(file) }
    let bytes = Array(content.utf8)
    guard write(file, bytes, bytes.count) == bytes.count else {
      unlink(path)
      throw InputError("--kubeconfig \(path): can't be written: \(String(cString: strerror(errno)))")
    }
  }

  private static let mark = "# Written by netpol-lab serve-api"

  /// The process that wrote a kubeconfig, if it still runs.
  private static func runningOwner(_ text: String) -> Int32? {
    let words = text.prefix { $0 != "\n" }.split { $0 == " " || $0 == "," }
    guard let place = words.firstIndex(of: "process"),
      let number = words.dropFirst(place + 1).first.flatMap({ Int32($0) }),
      let name = try? String(contentsOfFile: "/proc/\(number)/comm", encoding: .utf8), name.hasPrefix("netpol-lab")
    else { return nil }
    return number
  }

  /// Removes it, unless another server has written its own there.
  func remove() {
    if FileManager.default.contents(atPath: path) == Data(content.utf8) { unlink(path) }
  }
}
