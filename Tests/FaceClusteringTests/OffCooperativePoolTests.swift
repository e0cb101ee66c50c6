import Dispatch
import Synchronization
import Testing
import Vectors

@testable import FaceClustering

/// Long computations beside everything else that a process does.
@Suite struct OffCooperativePoolTests {
  /// Tasks run on the threads of the default class, of which there is one a processor: taken for seconds by
  /// a computation, they would answer nobody meanwhile.
  @Test func othersAreServedWhileAllProcessorsCompute() async throws {
    let served = Atomic(false)
    let wasServed = try await offCooperativePool { _ in
      let threads = availableThreads
      let begun = Atomic(0)
      let inTime = Atomic(0)
      let limit = ContinuousClock.now + .seconds(60)
      parallelFor(threads, threads: threads) { _ in
        // All at work before somebody asks.
        if begun.wrappingAdd(1, ordering: .relaxed).newValue == threads {
          DispatchQueue.global().async { served.store(true, ordering: .relaxed) }
        }
        while !served.load(ordering: .relaxed), ContinuousClock.now < limit {}
        if served.load(ordering: .relaxed) { inTime.wrappingAdd(1, ordering: .relaxed) }
      }
      return inTime.load(ordering: .relaxed) == threads
    }
    #expect(wasServed)
  }
}
