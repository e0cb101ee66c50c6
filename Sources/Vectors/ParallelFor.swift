internal import CKernels
internal import Synchronization

/// Number of processor cores that this process may use, at least 1.
public var availableThreads: Int { Int(kernel_available_processors()) }

/// Runs `body` for every index in 0..<count on up to `threads` threads, and waits.
///
/// Indices are handed out in order, one at a time, to whichever thread is free. The result is
/// deterministic when each call writes only what belongs to its index. The calling thread works
/// too. `body` runs concurrently with itself: it must not write anything shared without a lock.
///
/// - Complexity: about 10 ns an index on top of `body`.
public func parallelFor(_ count: Int, threads: Int, _ body: (_ index: Int) -> Void) {
  parallelFor(count, threads: threads, makeScratch: {}, { index, _ in body(index) })
}

/// Runs `body` for every index in 0..<count, with one scratch value for each working thread.
///
/// - Parameters:
///   - count: number of indices.
///   - threads: most threads to use, at least 1.
///   - makeScratch: called once on each working thread, before its first index.
///   - body: receives an index and the thread's scratch value.
/// - Complexity: about 10 ns an index on top of `body`.
public func parallelFor<Scratch>(
  _ count: Int, threads: Int, makeScratch: () -> Scratch,
  _ body: (_ index: Int, _ scratch: inout Scratch) -> Void
) {
  let workers = min(max(threads, 1), count)
  if workers <= 1 {
    if count <= 0 { return }
    var scratch = makeScratch()
    for index in 0..<count { body(index, &scratch) }
    return
  }
  let next = Atomic(0)
  withoutActuallyEscaping(makeScratch) { makeScratch in
    withoutActuallyEscaping(body) { body in
      // Not marked @Sendable for callers, who write disjoint slices through pointers: that no two
      // calls touch the same memory is the documented duty of `body`.
      nonisolated(unsafe) let sharedScratch = makeScratch
      nonisolated(unsafe) let sharedBody = body
      var work = {
        var index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if index >= count { return }
        var scratch = sharedScratch()
        while index < count {
          sharedBody(index, &scratch)
          index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        }
      }
      // Not the threads of the default class: they run the tasks of the whole process, which would wait
      // until the last index is done.
      withUnsafeMutablePointer(to: &work) {
        kernel_apply(workers, $0) { context, _ in
          context?.assumingMemoryBound(to: (() -> Void).self).pointee()
        }
      }
    }
  }
}

/// Runs `body` for consecutive ranges of `chunk` indices that cover 0..<count.
///
/// - Parameters:
///   - count: number of indices.
///   - chunk: indices in a range, at least 1; the last range may be shorter.
///   - threads: most threads to use, at least 1.
///   - body: receives a range.
public func parallelForChunks(
  _ count: Int, chunk: Int, threads: Int, _ body: (_ range: Range<Int>) -> Void
) {
  let size = max(chunk, 1)
  parallelFor((count + size - 1) / size, threads: threads) { index in
    body(index * size..<min((index + 1) * size, count))
  }
}
