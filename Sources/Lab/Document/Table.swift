package import Statistics

/// Rows of the same shape, whose cells are values. Text aligns them, CSV and JSON name them.
package struct Table {
  package struct Column {
    /// The name in JSON. `nil` if the column is not in JSON.
    package var key: String?
    /// The names in CSV, one for each value of a cell: none, one, the two ends of an interval, or value and ends.
    package var csv: [String]
    /// The title of the column in text. An estimate's interval is in the same column, or in its own column with the
    /// title `interval`.
    package var title: String
    package var interval: String?
    package var form: Form
    /// Whether the column is left-aligned. `nil`: the first column is, all others are not.
    package var isLeading: Bool?

    package init(
      key: String? = nil, csv: [String] = [], title: String = "", interval: String? = nil, form: Form = .plain,
      isLeading: Bool? = nil
    ) {
      self.key = key
      self.csv = csv
      self.title = title
      self.interval = interval
      self.form = form
      self.isLeading = isLeading
    }

    /// A column of text whose name is the same in all three outputs.
    package init(_ name: String) { self.init(key: name, csv: [name], title: name) }
  }

  /// How text shows a number. Programs get all of its digits.
  package enum Form: Hashable, Sendable {
    case plain, whole, tenths, hundredths, threeDigits
    /// Nanoseconds, shown with a unit.
    case time
    /// Bytes.
    case mebibytes
    /// As a percentage.
    case percent(digits: Int)
    /// A number per second, in thousands or millions.
    case rate
  }

  /// `nil` means absent: JSON then has no such key.
  package enum Cell {
    case text(String?)
    case count(Int?)
    case truth(Bool)
    case number(Double?)
    case estimate(Estimate?)
    /// From one value to the other, of a range or of an interval. Each is `nil` if it is not known.
    case ends(Double?, Double?)
  }

  package struct Row {
    package var cells: [Cell]
    /// Shown after the last cell, in no column.
    package var remark = ""
    /// Shown instead if lines are too narrow for a table.
    package var sentence: String?
    /// Further blocks about this row.
    package var below: [Block] = []

    package init(_ cells: [Cell], remark: String = "", sentence: String? = nil, below: [Block] = []) {
      self.cells = cells
      self.remark = remark
      self.sentence = sentence
      self.below = below
    }
  }

  package var columns: [Column]
  package var rows: [Row]
  package var indent: Int
  /// The number of decimals in CSV. `nil` for all.
  package var csvDigits: Int?

  package init(_ columns: [Column], indent: Int = 0, csvDigits: Int? = nil, _ rows: [Row]) {
    self.columns = columns
    self.rows = rows
    self.indent = indent
    self.csvDigits = csvDigits
  }

  package init(_ columns: [Column], indent: Int = 0, csvDigits: Int? = nil, _ rows: [[Cell]]) {
    self.init(columns, indent: indent, csvDigits: csvDigits, rows.map { Row($0) })
  }
}

extension Table.Column {
  /// Names of an estimate and its ends in CSV: `each_ns`, `each_lower_ns`, `each_upper_ns`.
  package static func estimate(_ name: String, unit: String = "") -> [String] {
    ["\(name)\(unit)", "\(name)_lower\(unit)", "\(name)_upper\(unit)"]
  }
}
