extension APISchema {
  /// The schema with the kinds that only a served API has.
  static let served = APISchema(kinds: schemaKinds + servedKinds, types: schemaTypes + servedTypes)
}

/// The kinds that controllers write and nothing here reads. An Event of either group may have the fields of both
/// (k8s.io/api/core/v1 and events/v1).
private let servedKinds = " coordination.k8s.io/v1/Lease v1/Event events.k8s.io/v1/Event"

private let servedTypes = """
   Lease: apiVersion kind metadata=ObjectMeta spec=LeaseSpec LeaseSpec: acquireTime=time holderIdentity
  leaseDurationSeconds=int leaseTransitions=int preferredHolder renewTime=time strategy Event: action apiVersion count=int
  deprecatedCount=int deprecatedFirstTimestamp=time deprecatedLastTimestamp=time deprecatedSource=EventSource
  eventTime=time firstTimestamp=time involvedObject=ObjectReference kind lastTimestamp=time message metadata=ObjectMeta
  note reason regarding=ObjectReference related=ObjectReference reportingComponent reportingController reportingInstance
  series=EventSeries source=EventSource type EventSeries: count=int lastObservedTime=time EventSource: component host
  """
