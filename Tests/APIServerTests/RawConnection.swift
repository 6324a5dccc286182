import Foundation
import Glibc
import Text

/// A TCP connection to a server on the loopback, on which a test says exactly what it wants. Every wait ends.
final class RawConnection {
  private var socket: Int32
  private var received: [UInt8] = []
  private(set) var isClosed = false

  struct Failure: Error, CustomStringConvertible { let description: String }

  /// `receiveBuffer`: of the kernel, in bytes.
  init(port: Int, receiveBuffer: Int32? = nil) throws {
    socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    if var size = receiveBuffer {
      setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    if result != 0 { throw Failure(description: "connect: \(String(cString: strerror(errno)))") }
  }

  deinit { if socket >= 0 { close(socket) } }

  func send(_ text: String) throws {
    var bytes = Array(text.utf8)
    while !bytes.isEmpty {
      let count = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL))
      if count <= 0 { throw Failure(description: "send: \(String(cString: strerror(errno)))") }
      bytes.removeFirst(count)
    }
  }

  /// Ends the connection with a reset, whatever is still to be read.
  func reset() {
    var linger = linger(l_onoff: 1, l_linger: 0)
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
    close(socket)
    socket = -1
    isClosed = true
  }

  /// Waits for bytes, at most a time. `false`: none came, or the connection has ended.
  @discardableResult private func receive(_ patience: Duration) -> Bool {
    if isClosed { return false }
    var poll = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
    guard Glibc.poll(&poll, 1, Int32(patience / .milliseconds(1))) > 0 else { return false }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(socket, &buffer, buffer.count, 0)
    if count <= 0 {
      isClosed = true
      return false
    }
    received += buffer[..<count]
    return true
  }

  /// Takes the bytes up to a mark, and the mark. Throws if it doesn't come in time.
  private func take(through mark: String, _ patience: Duration) throws -> String {
    let mark = Array(mark.utf8)
    let end = ContinuousClock.now + patience
    var searched = 0
    while true {
      if let place = received[searched...].firstRange(of: mark) {
        let text = String(decoding: received[..<place.upperBound], as: UTF8.self)
        received.removeFirst(place.upperBound)
        return text
      }
      searched = max(0, received.count - mark.count + 1)
      let left = end - ContinuousClock.now
      if left <= .zero || !receive(left) && (isClosed || end <= ContinuousClock.now) {
        throw Failure(
          description:
            "no \(String(decoding: mark, as: UTF8.self).debugDescription) in \(patience); closed: \(isClosed)")
      }
    }
  }

  private func take(_ count: Int, _ patience: Duration) throws -> String {
    let end = ContinuousClock.now + patience
    while received.count < count {
      let left = end - ContinuousClock.now
      if left <= .zero || !receive(left) && isClosed {
        throw Failure(description: "\(received.count) of \(count) bytes")
      }
    }
    defer { received.removeFirst(count) }
    return String(decoding: received[..<count], as: UTF8.self)
  }

  /// Whether the server ends the connection in time, whatever it sends before.
  func ends(in patience: Duration) -> Bool {
    let end = ContinuousClock.now + patience
    while !isClosed, ContinuousClock.now < end { receive(end - ContinuousClock.now) }
    return isClosed
  }

  struct Head {
    let code: Int
    /// With names in lower case.
    let headers: [String: String]
  }

  func head(_ patience: Duration = .seconds(10)) throws -> Head {
    let lines = try take(through: "\r\n\r\n", patience).components(separatedBy: "\r\n")
    var headers: [String: String] = [:]
    for line in lines.dropFirst() {
      let sides = line.split(separator: ":", maxSplits: 1)
      if sides.count == 2 { headers[sides[0].lowercased()] = sides[1].trimmingCharacters(in: .whitespaces) }
    }
    return Head(code: lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0, headers: headers)
  }

  /// The whole body of an answer with a length.
  func body(_ head: Head, _ patience: Duration = .seconds(10)) throws -> String {
    try take(head.headers["content-length"].flatMap { Int($0) } ?? 0, patience)
  }

  private var lines = ""

  /// The next line of a stream in chunks. `nil`: the last chunk came.
  func line(_ patience: Duration = .seconds(10)) throws -> String? {
    while true {
      if let end = lines.firstIndex(of: "\n") {
        defer { lines = String(lines[lines.index(after: end)...]) }
        return String(lines[..<end])
      }
      // To Swift, a carriage return and a line feed are one character.
      let size = try take(through: "\r\n", patience)
      let count = Int(size.dropLast(), radix: 16) ?? 0
      let chunk = try take(count + 2, patience)
      if count == 0 { return nil }
      lines += chunk.dropLast()
    }
  }
}
