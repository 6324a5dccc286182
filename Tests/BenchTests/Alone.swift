import TestSupport
import Testing

@Suite(.serialized, .tags(.alone)) enum Alone {}
