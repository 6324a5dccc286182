internal import Statistics

/// What an API server makes up for an object: its uid, its times and its versions. The same key gives the same.
struct Identity {
  private let key: UInt64

  init(_ key: UInt64) { self.key = key }

  /// One of the objects that this one makes.
  func part(_ number: Int) -> Identity {
    var random = SplitMix64(seed: key ^ UInt64(number + 1) &* 0x2545_f491_4f6c_dd1d)
    return Identity(random.next())
  }

  /// A random UUID, version 4.
  var uid: String {
    var random = SplitMix64(seed: key)
    let digits = Self.hexDigits(random.next()) + Self.hexDigits(random.next())
    let part = { (range: Range<Int>) in String(decoding: digits[range], as: UTF8.self) }
    return "\(part(0..<8))-\(part(8..<12))-4\(part(13..<16))-a\(part(17..<20))-\(part(20..<32))"
  }

  var resourceVersion: Int { 10_000 + Int(key % 8_000_000) }

  /// A time in January 2026, some seconds after the object was made.
  func time(after seconds: Int = 0) -> String {
    let moment = Int((key >> 16) % (27 * 86_400)) + seconds
    let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
    let (day, hour) = (1 + moment / 86_400, moment / 3600 % 24)
    return "2026-01-\(two(day))T\(two(hour)):\(two(moment / 60 % 60)):\(two(moment % 60))Z"
  }

  /// 64 hexadecimal digits, as of a container or an image.
  func digest(_ number: UInt64 = 0) -> String {
    var random = SplitMix64(seed: key ^ (number &* 0x9e37_79b9))
    return String(decoding: (0..<4).flatMap { _ in Self.hexDigits(random.next()) }, as: UTF8.self)
  }

  /// The letters of names that controllers make up (`alphanums` in `util/rand` of apimachinery).
  private static let letters = Array("bcdfghjklmnpqrstvwxz2456789".utf8)

  /// Letters as in a name that a controller makes up.
  func suffix(_ length: Int) -> String {
    var random = SplitMix64(seed: ~key)
    return String(decoding: (0..<length).map { _ in Self.letters[random.below(27)] }, as: UTF8.self)
  }

  /// Five letters for one of several objects. Different numbers have different letters.
  func suffix(number: Int) -> String {
    let all = 27 * 27 * 27 * 27 * 27
    // The factor and 27 have no common divisor.
    var rest = (Int(key % UInt64(all)) + number * 5_000_011) % all
    var text: [UInt8] = []
    for _ in 0..<5 {
      text.append(Self.letters[rest % 27])
      rest /= 27
    }
    return String(decoding: text, as: UTF8.self)
  }

  private static func hexDigits(_ number: UInt64) -> [UInt8] {
    let digits = Array("0123456789abcdef".utf8)
    return (0..<16).map { digits[Int(number >> UInt64(60 - 4 * $0) & 15)] }
  }
}
