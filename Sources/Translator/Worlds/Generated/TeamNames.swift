internal import Statistics

/// Names of namespaces and applications, as teams give them.
struct TeamNames {
  private let teams: [String]

  init(_ random: inout SplitMix64) {
    // The first two are in every cluster.
    let others = Self.words.dropFirst(2)
    teams = Self.words.prefix(2) + random.some(others.count, of: Array(others))
  }

  /// The namespace with this number, and whose it is.
  func namespace(_ number: Int) -> (name: String, team: String, stage: String) {
    let team = teams[number % teams.count]
    let turn = number / teams.count
    let stage = Self.stages.indices.contains(turn) ? Self.stages[turn] : "region-\(turn)"
    return (turn == 0 ? team : "\(team)-\(stage)", team, stage)
  }

  /// The name of the application with this number in a namespace. The first has that of the namespace.
  static func application(_ number: Int, in namespace: String) -> String {
    if number == 0 { return namespace }
    let word = applications[(number - 1) % applications.count]
    let turn = (number - 1) / applications.count
    return turn == 0 ? word : "\(word)-\(turn + 1)"
  }

  private static let words = [
    "shop", "pay", "search", "media", "ledger", "fleet", "catalog", "orders", "billing", "identity", "notify",
    "warehouse", "pricing", "support", "reports", "maps", "chat", "mail", "forms", "survey", "returns", "loyalty",
    "coupons", "fraud", "risk", "treasury", "payroll", "hiring", "learning", "travel", "parking", "energy", "sensors",
    "archive", "documents", "signing", "audit", "export", "import", "partners", "suppliers", "routing", "tracking",
    "delivery", "kitchen", "garden", "weather", "tickets",
  ]
  private static let stages = ["prod", "staging", "test", "dev"]
  private static let applications = [
    "cart", "checkout", "stock", "profile", "reviews", "ranking", "images", "thumbs", "prices", "session", "events",
    "invoices", "quotes", "rules", "feeds", "labels", "limits", "mirror", "outbox", "inbox", "planner", "quota",
    "rates", "scores", "tags", "trends", "uploads", "vault", "widgets", "zones",
  ]
}
