internal import NetpolModel

/// What a workload of an application does. Its name is the label `app.kubernetes.io/component`.
enum Tier: String, CaseIterable {
  case web, api, worker, db, cache, report

  var kind: WorkloadKind {
    switch self {
    case .web, .api, .worker, .cache: .deployment
    case .db: .statefulSet
    case .report: .cronJob
    }
  }

  var ports: [PlannedPort] {
    switch self {
    case .web: [PlannedPort("http", 8080), PlannedPort("metrics", 9100)]
    case .api: [PlannedPort("http", 3000), PlannedPort("grpc", 9090), PlannedPort("metrics", 9100)]
    case .worker: [PlannedPort("metrics", 9100)]
    case .db: [PlannedPort("postgres", 5432), PlannedPort("metrics", 9187)]
    case .cache: [PlannedPort("redis", 6379)]
    case .report: []
    }
  }

  /// The ports that its Service has.
  var servicePorts: [PlannedServicePort] {
    switch self {
    case .web: [PlannedServicePort("http", 80, to: "http")]
    case .api: [PlannedServicePort("http", 80, to: "http"), PlannedServicePort("grpc", 9090, to: "9090")]
    case .worker, .report: []
    case .db: [PlannedServicePort("postgres", 5432, to: "postgres")]
    case .cache: [PlannedServicePort("redis", 6379, to: "redis")]
    }
  }

  /// Of an application in a small cluster. Large clusters have more.
  var replicas: ClosedRange<Int> {
    switch self {
    case .web, .api: 2...4
    case .worker, .db, .report: 1...3
    case .cache: 1...2
    }
  }

  var requests: ResourceRequests {
    switch self {
    case .web: ResourceRequests(cpu: "50m", memory: "128Mi", limit: "256Mi")
    case .api: ResourceRequests(cpu: "250m", memory: "256Mi", limit: "512Mi")
    case .worker: ResourceRequests(cpu: "500m", memory: "512Mi", limit: "1Gi")
    case .db: ResourceRequests(cpu: "1500m", memory: "2Gi", limit: "4Gi")
    case .cache: ResourceRequests(cpu: "100m", memory: "512Mi", limit: "768Mi")
    case .report: ResourceRequests(cpu: "200m", memory: "256Mi", limit: "1Gi")
    }
  }
}

/// What a container asks for, and the most memory that it gets.
struct ResourceRequests: Hashable {
  let cpu: String
  let memory: String
  let limit: String
}

/// The controller of a pod.
enum WorkloadKind: String {
  case deployment = "Deployment"
  case statefulSet = "StatefulSet"
  case daemonSet = "DaemonSet"
  case cronJob = "CronJob"
}

struct PlannedPort: Hashable {
  let name: String
  let number: UInt16
  let transport: Transport

  init(_ name: String, _ number: UInt16, _ transport: Transport = .tcp) {
    self.name = name
    self.number = number
    self.transport = transport
  }
}

struct PlannedServicePort: Hashable {
  let name: String
  let number: UInt16
  /// A number, or a name of a container port.
  let target: String
  let transport: Transport

  init(_ name: String, _ number: UInt16, to target: String, _ transport: Transport = .tcp) {
    self.name = name
    self.number = number
    self.target = target
    self.transport = transport
  }
}
