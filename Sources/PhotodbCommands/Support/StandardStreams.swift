internal import Glibc
internal import Synchronization

/// Writes all bytes to a file descriptor.
///
/// - Throws: ``OutputClosed`` where the reader went away, ``CommandFailure`` where the disk is full
///   or the descriptor unusable.
func write(_ text: String, to descriptor: Int32) throws {
  var text = text
  try text.withUTF8 { bytes in
    var rest = UnsafeRawBufferPointer(bytes)
    while let base = rest.baseAddress, !rest.isEmpty {
      let count = Glibc.write(descriptor, base, rest.count)
      if count > 0 {
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
      } else if errno == EPIPE {
        throw OutputClosed()
      } else if errno != EINTR {
        throw CommandFailure("cannot write the output: \(String(cString: strerror(errno)))")
      }
    }
  }
}

/// Standard error, shared by logs, error lines and the one progress line below them.
///
/// A log line that arrives while a progress line is shown replaces it; the progress line returns
/// with its next update. Nothing is lost and nothing is mixed.
final class StandardError: Sendable {
  /// The stream of this process.
  static let shared = StandardError()

  private let statusIsShown = Mutex(false)

  /// Whether standard error is a terminal that understands cursor movement.
  static var isTerminal: Bool {
    guard isatty(STDERR_FILENO) == 1 else { return false }
    guard let name = getenv("TERM") else { return false }
    return String(cString: name) != "dumb"
  }

  /// Width of the terminal in columns; 80 where it does not say.
  static var columns: Int {
    var size = winsize()
    let code = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size)
    return code == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// Writes one line; names of others in it command no terminal.
  func line(_ text: String) {
    let text = Formatting.printable(text, lines: true)
    statusIsShown.withLock { shown in
      emit((shown ? "\r\u{1B}[2K" : "") + text + "\n")
      shown = false
    }
  }

  /// Shows `text` as the progress line, in one write so that it does not flicker.
  func status(_ text: String) {
    statusIsShown.withLock { shown in
      emit("\r" + text + "\u{1B}[K")
      shown = true
    }
  }

  /// Takes the progress line away.
  func clearStatus() {
    statusIsShown.withLock { shown in
      if shown { emit("\r\u{1B}[2K") }
      shown = false
    }
  }

  /// There is no place left to report that standard error itself is closed.
  private func emit(_ text: String) {
    _ = try? write(text, to: STDERR_FILENO)
  }
}
