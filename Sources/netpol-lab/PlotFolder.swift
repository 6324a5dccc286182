import Foundation
import Glibc

/// The folder that `--plot` names. It is checked before anything is measured, and written after the report is printed.
struct PlotFolder {
  private let path: String
  /// How the names of plots end.
  private static let endings = ["-peers.svg", "-blocks.svg", "-ipv6.svg", "-services.svg"]

  /// Makes the folder if it is missing. Throws `InputError` if no file can be written into it.
  init(_ path: String) throws {
    // With a slash at its end, a link would be followed.
    let path =
      path.count > 1 && path.hasSuffix("/") ? String(path.dropLast(path.reversed().prefix { $0 == "/" }.count)) : path
    self.path = path
    var status = stat()
    if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR {
      let what = status.st_mode & S_IFMT == S_IFLNK ? "is a link" : "is not a folder"
      throw InputError("--plot \(path): \(what); name a folder, or one that can be made")
    }
    do { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) } catch {
      throw InputError("--plot \(path): can't be made: \(String(cString: strerror(errno))); name a folder that can")
    }
    guard access(path, W_OK | X_OK) == 0 else {
      throw InputError("--plot \(path): can't be written: \(String(cString: strerror(errno))); name another folder")
    }
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      if Self.endings.contains(where: name.hasSuffix), !isOwn(name) {
        throw InputError("--plot \(path): \(name) is a link, or no plot of netpol-lab; name another folder")
      }
    }
  }

  /// Writes the plots, in place of earlier ones. Throws `OutputError`; other files and links are left as they are.
  func write(_ files: [(name: String, svg: String)]) throws {
    for file in files {
      guard isOwn(file.name) else {
        throw OutputError(description: "--plot \(path): \(file.name) is a link, or no plot of netpol-lab")
      }
      // Written beside the old file and then renamed, so that a link is never followed.
      do {
        try Data(file.svg.utf8).write(
          to: URL(fileURLWithPath: path).appendingPathComponent(file.name), options: .atomic)
      } catch {
        throw OutputError(description: "--plot \(path): can't be written: \(error.localizedDescription)")
      }
    }
  }

  /// Whether there is no file of this name, or one that a benchmark wrote.
  private func isOwn(_ name: String) -> Bool {
    let file = "\(path)/\(name)"
    var status = stat()
    guard lstat(file, &status) == 0 else { return true }
    guard status.st_mode & S_IFMT == S_IFREG, let handle = FileHandle(forReadingAtPath: file) else { return false }
    defer { try? handle.close() }
    let head = String(decoding: (try? handle.read(upToCount: 4096)) ?? Data(), as: UTF8.self)
    return head.hasPrefix("<svg") && head.contains("<desc>netpol-lab bench</desc>")
  }
}
