internal import NetpolModel

/// Where the files of the input are, for whoever reads a report elsewhere.
public struct FilePlaces: Sendable {
  private let root: String?
  private let file: String?

  /// `root` is the folder in which the program runs. Files below it get relative paths. `file` stands for what has no
  /// place of its own.
  public init(root: String? = nil, file: String? = nil) {
    self.root = root
    self.file = file
  }

  /// The path and the line. `nil`: there is no file, for example because everything was read from standard input.
  func place(of location: SourceLocation?) -> (path: String, line: Int)? {
    if let location, location.file != "-" { return (path(location.file), max(1, location.line)) }
    return file.map { (path($0), 1) }
  }

  private func path(_ file: String) -> String {
    var path = file[...]
    if let root, path.hasPrefix(root.hasSuffix("/") ? root : root + "/") {
      path = path.dropFirst(root.count).drop { $0 == "/" }
    }
    while path.hasPrefix("./") { path = path.dropFirst(2).drop { $0 == "/" } }
    return String(path)
  }
}
