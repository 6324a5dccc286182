public import Bench
internal import Text

/// A bench of engines for a person, and for a spreadsheet.
extension EngineBenchReport {
  public var text: String {
    let header = ["engine", "verdicts/s", "one by one", "allowed", "prepare", "memory", "compared", "different"]
    let lines = columns(
      [header]
        + rows.map { row in
          [
            row.name, rateText(row.perSecond), row.perSecondOneByOne.map(rateText) ?? "-",
            "\(decimals(row.allowedShare * 100, 1)) %",
            timeText((row.loweringSeconds + row.preparationSeconds) * 1e9), row.memoryText, "\(row.compared)",
            "\(row.different)",
          ]
        })
    let walked = rows.filter { $0.walked > 0 }.map { "\($0.name): \($0.walked) flows were walked one by one" }
    let title =
      "\(counted(pods, "pod")), \(counted(policies, "policy", "policies")), \(counted(nodes, "node")), "
      + "\(flows) different flows, one thread of \(machine)"
    return ([title, ""] + lines + walked).map { $0 + "\n" }.joined()
  }

  /// One line for each engine, with the names of the fields above.
  public var csv: String {
    let header =
      "engine,style,verdicts,allowedShare,perSecond,compared,different,perSecondOneByOne,walked,loweringSeconds,"
      + "preparationSeconds,preparedBytes,batchBytes"
    let lines = rows.map { row in
      return [
        row.engine, row.style ?? "", "\(row.verdicts)", "\(row.allowedShare)", "\(row.perSecond)", "\(row.compared)",
        "\(row.different)", row.perSecondOneByOne.map { "\($0)" } ?? "", "\(row.walked)", "\(row.loweringSeconds)",
        "\(row.preparationSeconds)", row.preparedBytes.map { "\($0)" } ?? "", row.batchBytes.map { "\($0)" } ?? "",
      ].joined(separator: ",")
    }
    return ([header] + lines).map { $0 + "\n" }.joined()
  }
}

extension EngineBenchReport.Row {
  fileprivate var name: String { style.map { "\(engine), \($0)" } ?? engine }

  fileprivate var memoryText: String {
    guard let preparedBytes, let batchBytes else { return "-" }
    return "\((preparedBytes + batchBytes) >> 20) MiB"
  }
}

/// `12.3 M`, `45.6 k`.
private func rateText(_ rate: Double) -> String {
  rate >= 1e6 ? "\(threeDigits(rate / 1e6)) M" : "\(threeDigits(rate / 1e3)) k"
}
