import Dispatch
import Glibc
import Synchronization
import Testing
import Vectors

/// Work that is shared among threads.
@Suite struct ParallelForTests {
  @Test(arguments: [1, 2, 5]) func everyIndexIsDoneOnce(threads: Int) {
    let done = Mutex([Int](repeating: 0, count: 103))
    parallelForChunks(103, chunk: 10, threads: threads) { range in
      done.withLock { for index in range { $0[index] += 1 } }
    }
    #expect(done.withLock { $0 } == [Int](repeating: 1, count: 103))
  }

  /// The threads that run the tasks of the process are not needed, and so are not taken from them.
  @Test(.enabled(if: availableThreads > 1)) func itGoesOnWhereAllThreadsOfTasksAreTaken() async {
    let isOver = Atomic(false)
    let limit = ContinuousClock.now + .seconds(120)
    await withCheckedContinuation { continuation in
      DispatchQueue(label: "caller").async {
        let taken = DispatchSemaphore(value: 0)
        for _ in 0..<availableThreads {
          DispatchQueue.global().async {
            taken.signal()
            while !isOver.load(ordering: .relaxed), ContinuousClock.now < limit { usleep(1_000) }
          }
        }
        // Where other tests hold them, they are taken as well.
        for _ in 0..<availableThreads { _ = taken.wait(timeout: .now() + .seconds(2)) }
        let begun = Atomic(0)
        parallelFor(2, threads: 2) { _ in
          begun.wrappingAdd(1, ordering: .relaxed)
          while begun.load(ordering: .relaxed) < 2, ContinuousClock.now < limit { usleep(1_000) }
        }
        isOver.store(true, ordering: .relaxed)
        continuation.resume()
      }
    }
    #expect(ContinuousClock.now < limit)
  }
}
