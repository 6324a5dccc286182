internal import Text

extension ServedCluster {
  mutating func delete(_ key: ObjectKey, gracePeriod: Int?, orphaning: Bool, _ now: APITime) -> JSON? {
    let json = store.json(key)
    remove(key, now)
    return json
  }
  mutating func finishDeletion(_ key: ObjectKey, _ now: APITime) {}
}
