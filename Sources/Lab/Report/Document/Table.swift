internal import Statistics

/// Rows of one shape, whose cells are values: text aligns them, CSV and JSON name them.
struct Table {
  struct Column {
    /// In JSON; nil: it is not there.
    var key: String?
    /// In CSV, a name for each value that a cell has: none, one, the two ends of an interval, or value and ends.
    var csv: [String]
    /// Above the column in text. An estimate's interval stands in the same column, or in one of its own with this title.
    var title: String
    var interval: String?
    var form: Form
    /// Nil: the first column to the left, all others to the right.
    var isLeading: Bool?

    init(
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

    /// Of text, with a name that all three share.
    init(_ name: String) { self.init(key: name, csv: [name], title: name) }
  }

  /// How a number is told in text. Programs get all of its digits.
  enum Form: Hashable, Sendable {
    case plain, whole, tenths, hundredths, threeDigits
    /// Of nanoseconds, with its unit.
    case time
    /// Of bytes.
    case mebibytes
    /// As a percentage.
    case percent(digits: Int)
    /// A number a second, in thousands or millions.
    case rate
  }

  /// Nil is absent: in JSON there is no such key then.
  enum Cell {
    case text(String?)
    case count(Int?)
    case truth(Bool)
    case number(Double?)
    case estimate(Estimate?)
    /// From one to the other, each nil where it is not known: of a range, or of an interval alone.
    case ends(Double?, Double?)
  }

  struct Row {
    var cells: [Cell]
    /// Stands behind the last cell, in no column.
    var remark = ""
    /// What to say where lines are too narrow for a table.
    var sentence: String?
    /// What there is to say of this row alone.
    var below: [Block] = []

    init(_ cells: [Cell], remark: String = "", sentence: String? = nil, below: [Block] = []) {
      self.cells = cells
      self.remark = remark
      self.sentence = sentence
      self.below = below
    }
  }

  var columns: [Column]
  var rows: [Row]
  var indent: Int
  /// How many digits behind the point numbers have in CSV; nil: all.
  var csvDigits: Int?

  init(_ columns: [Column], indent: Int = 0, csvDigits: Int? = nil, _ rows: [Row]) {
    self.columns = columns
    self.rows = rows
    self.indent = indent
    self.csvDigits = csvDigits
  }

  init(_ columns: [Column], indent: Int = 0, csvDigits: Int? = nil, _ rows: [[Cell]]) {
    self.init(columns, indent: indent, csvDigits: csvDigits, rows.map { Row($0) })
  }
}

extension Table.Column {
  /// Names of an estimate and its ends in CSV: `each_ns`, `each_lower_ns`, `each_upper_ns`.
  static func estimate(_ name: String, unit: String = "") -> [String] {
    ["\(name)\(unit)", "\(name)_lower\(unit)", "\(name)_upper\(unit)"]
  }
}
