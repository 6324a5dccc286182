import TestSupport
import Testing

@Suite(.tags(.slow)) enum Slow {}
