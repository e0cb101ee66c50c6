internal import Glibc

/// Ends the server of a test process when the process ends, even by a crash or a signal.
///
/// A shell reads from a pipe whose other end only this process holds. When the process is gone,
/// for whatever reason, the shell reads the end of the pipe, kills the server and removes its
/// folder.
enum Watchdog {
  static func install(removing folder: String) throws {
    let script = """
      trap '' HUP INT TERM
      cat >/dev/null
      for file in '\(folder)'/data/postmaster.pid; do
        [ -f "$file" ] && kill -QUIT "$(head -n 1 "$file")" 2>/dev/null
      done
      for attempt in 1 2 3 4 5; do rm -rf '\(folder)' 2>/dev/null && break; sleep 0.2; done
      """
    // "e": the server, which this process starts, must not inherit the pipe and keep it open.
    guard let pipe = popen(script, "we") else {
      throw TemporaryFolder.Failure(
        description: "cannot start a shell: \(String(cString: strerror(errno)))")
    }
    pipes.append(Pipe(file: pipe))
    if pipes.count == 1 {
      // A normal end waits for the shell, so that nothing is left when the command returns.
      atexit { for pipe in Watchdog.pipes { pclose(pipe.file) } }
    }
  }

  private struct Pipe {
    let file: UnsafeMutablePointer<FILE>
  }

  // Written once, when the one server of the process starts, and read when the process ends.
  nonisolated(unsafe) private static var pipes: [Pipe] = []
}
