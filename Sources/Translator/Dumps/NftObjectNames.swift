/// The names of chains and sets in the output of `nft --json --terse list table`.
public struct NftObjectNames: Hashable, Sendable {
  public private(set) var chains: [String] = []
  public private(set) var sets: [String] = []

  /// Throws if the text is not a listing. `file` is the file name in the error.
  public init(_ text: String, file: String) throws(DumpError) {
    do throws(Fault) {
      // Rules are most of a listing.
      let listing = try NftJSONListing(text, omitting: "{\"rule\":")
      for index in listing.indices {
        guard let (kind, fields) = try listing.value(index).single, let name = fields["name"]?.string else { continue }
        if kind == "chain" { chains.append(name) }
        if kind == "set" { sets.append(name) }
      }
    } catch {
      throw error.place.error(error.problem, in: file)
    }
  }
}
