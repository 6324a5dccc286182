internal import Bench
internal import Documents
internal import Statistics

struct ServiceGrowthObject: Encodable {
  let rules, address, target: String
  let fromServices, toServices: Int
  let times: IntervalObject
  init(_ growth: ServiceBenchReport.Growth) {
    (rules, times) = (growth.rules, IntervalObject(growth.times))
    (address, target) = (growth.probe.address.rawValue, growth.probe.target.rawValue)
    (fromServices, toServices) = (growth.from.services, growth.to.services)
  }
}

/// Times are milliseconds.
struct SyncObject: Encodable {
  let rules, way: String
  let services: Int
  let full, change: SyncTimeObject
  let fullBytes, changeBytes: Int
  let ruleCount, chainCount, elementCount: Int
  init(_ sync: ServiceBenchReport.Sync) {
    (rules, way, services) = (sync.rules, sync.way, sync.world.services)
    (full, change) = (SyncTimeObject(sync.full), SyncTimeObject(sync.change))
    (fullBytes, changeBytes) = (sync.fullBytes, sync.changeBytes)
    (ruleCount, chainCount, elementCount) = (sync.objects.rules, sync.objects.chains, sync.objects.elements)
  }
}

/// A median with its 95 % interval, in milliseconds.
struct SyncTimeObject: Encodable {
  let count: Int
  let p50, lower, upper: Double?
  init(_ times: Distribution) {
    let interval = times.interval(0.5)
    count = times.count
    (p50, lower, upper) = (
      times.median.map { $0 / 1e6 }, interval.lower.map { $0 / 1e6 }, interval.upper.map { $0 / 1e6 }
    )
  }
}
