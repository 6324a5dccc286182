/// A time that passed, as kubectl prints ages: two units at most, the fewer the longer it is (apimachinery's
/// `duration.HumanDuration`). A clock that is a second behind is forgiven.
func humanDuration(_ seconds: Int) -> String {
  if seconds < -1 { return "<invalid>" }
  let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400)
  let years = days / 365
  return switch seconds {
  case ..<0: "0s"
  case ..<120: "\(seconds)s"
  case ..<600: two(minutes, "m", seconds % 60, "s")
  case ..<(3 * 3600): "\(minutes)m"
  case ..<(8 * 3600): two(hours, "h", minutes % 60, "m")
  case ..<(48 * 3600): "\(hours)h"
  case ..<(8 * 86400): two(days, "d", hours % 24, "h")
  case ..<(2 * 365 * 86400): "\(days)d"
  case ..<(8 * 365 * 86400): two(years, "y", days % 365, "d")
  default: "\(years)y"
  }
}

/// Both units, or the larger alone if nothing is left for the smaller.
private func two(_ large: Int, _ unit: String, _ small: Int, _ smallUnit: String) -> String {
  "\(large)\(unit)" + (small == 0 ? "" : "\(small)\(smallUnit)")
}
