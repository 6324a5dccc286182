/// The names of chains and sets in the output of `nft --json --terse list table`.
public struct NftObjectNames: Hashable, Sendable {
  public private(set) var chains: [String] = []
  public private(set) var sets: [String] = []

  /// Throws if the text is not a listing. `file` is the file name in the error.
  public init(_ text: String, file: String) throws(DumpError) {
    var json = JSONText(text)
    do throws(Problem) {
      let listing = try json.value()
      for object in listing["nftables"]?.array ?? [] {
        guard let (kind, fields) = object.single, let name = fields["name"]?.string else { continue }
        if kind == "chain" { chains.append(name) }
        if kind == "set" { sets.append(name) }
      }
    } catch {
      throw Place(line: json.line, text: json.surroundings).error(error, in: file)
    }
  }
}
