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
}
