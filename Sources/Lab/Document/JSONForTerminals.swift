internal import Foundation
internal import Text

extension Data {
  /// JSON with the same values, but with `\\u202e` for characters that JSON allows in strings and that act on a terminal.
  var escapingForTerminals: Data {
    // JSON itself escapes those below DEL.
    guard contains(where: { $0 >= 0x7f }) else { return self }
    var result = String.UnicodeScalarView()
    for scalar in String(decoding: self, as: UTF8.self).unicodeScalars {
      if scalar.actsOnTerminal {
        result.append(contentsOf: scalar.jsonEscape.unicodeScalars)
      } else {
        result.append(scalar)
      }
    }
    return Data(String(result).utf8)
  }
}
