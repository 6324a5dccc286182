internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import ServedAPI
internal import Synchronization
internal import Text

/// One watch: what there is first, then every change, each line as soon as it happens.
///
/// A stream holds no events: it knows the resource version up to which it has sent, and takes what comes after when its
/// client has room for it. So a client that doesn't read costs nothing, and no other waits for it.
final class WatchStream: Sendable {
  /// What only the connection's event loop touches.
  private struct State {
    var initial: ArraySlice<StoredObject>
    var mustMarkInitialEnd: Bool
    var version: UInt64
    var isEnded = false
    var timeout: Scheduled<Void>?
    /// Since when the client has no room.
    var stalled: NIODeadline?
    /// Since the last bookmark, in seconds.
    var sinceBookmark = 0
  }

  /// How many events are written before the client's room is looked at again.
  private static let batch = 256

  private let answer: WatchAnswer
  private let server: APIServer
  private let channel: any Channel
  private let state: NIOLoopBoundBox<State>
  /// Whether a call of `pump` is on its way.
  private let isWoken = Atomic(false)
  /// Called once at the end. `true`: the stream is complete, and the connection can go on.
  private let ended: @Sendable (Bool) -> Void

  /// On the channel's event loop.
  init(_ answer: WatchAnswer, _ server: APIServer, _ channel: any Channel, ended: @escaping @Sendable (Bool) -> Void) {
    self.answer = answer
    self.server = server
    self.channel = channel
    self.ended = ended
    state = NIOLoopBoundBox(
      State(
        initial: answer.initial[...], mustMarkInitialEnd: answer.marksInitialEnd, version: answer.resourceVersion),
      eventLoop: channel.eventLoop)
  }

  func begin() {
    server.note(self)
    let loop = channel.eventLoop
    state.value.timeout = loop.scheduleTask(in: .seconds(Int64(answer.timeout))) { self.end(.complete) }
    scheduleTick()
    pump()
  }

  /// From any thread: there may be something to send.
  func wake() {
    if isWoken.exchange(true, ordering: .acquiringAndReleasing) { return }
    channel.eventLoop.execute { self.pump() }
  }

  /// Writes what the client has room for.
  func pump() {
    isWoken.store(false, ordering: .releasing)
    var lines = ByteBuffer()
    while !state.value.isEnded, channel.isWritable {
      let hasMore = fill(&lines)
      if lines.readableBytes > 0 {
        write(lines)
        lines.clear()
      }
      if !hasMore { break }
    }
  }

  /// Adds the next lines. `false` if there are no more now.
  private func fill(_ lines: inout ByteBuffer) -> Bool {
    if !state.value.initial.isEmpty {
      for object in state.value.initial.prefix(Self.batch) {
        line("ADDED", answer.form.bytes(object, .now), to: &lines)
      }
      state.value.initial = state.value.initial.dropFirst(Self.batch)
      return true
    }
    if state.value.mustMarkInitialEnd {
      state.value.mustMarkInitialEnd = false
      line("BOOKMARK", bookmark(endsInitial: true), to: &lines)
      return true
    }
    switch server.events(after: state.value.version, limit: Self.batch) {
    case .success(let events):
      guard let last = events.last else { return false }
      for event in events {
        guard let view = answer.selection.view(of: event) else { continue }
        line(view.kind.rawValue, answer.form.bytes(view.object, .now), to: &lines)
      }
      state.value.version = last.resourceVersion
      return true
    case .failure(let status):
      line("ERROR", status.json.bytes, to: &lines)
      write(lines)
      lines.clear()
      end(.complete)
      return false
    }
  }

  private func line(_ type: String, _ object: [UInt8], to lines: inout ByteBuffer) {
    lines.writeString("{\"type\":\"\(type)\",\"object\":")
    lines.writeBytes(object)
    lines.writeString("}\n")
  }

  private func write(_ lines: ByteBuffer) {
    channel.writeAndFlush(HTTPServerResponsePart.body(.byteBuffer(lines)), promise: nil)
  }

  private func bookmark(endsInitial: Bool) -> [UInt8] {
    answer.form.bookmark(answer.selection.type, state.value.version, endsInitial: endsInitial)
  }

  // MARK: - Time

  /// Bookmarks, and the end of a client that doesn't read.
  private func scheduleTick() {
    let seconds = min(server.options.bookmarkInterval, max(server.options.stallLimit / 4, 1))
    channel.eventLoop.scheduleRepeatedTask(
      initialDelay: .seconds(Int64(seconds)), delay: .seconds(Int64(seconds))
    ) { task in
      if self.state.value.isEnded { return task.cancel() }
      self.state.value.sinceBookmark += seconds
      if self.cutIfStalled() { return }
      if self.answer.allowsBookmarks, self.state.value.sinceBookmark >= self.server.options.bookmarkInterval,
        self.channel.isWritable
      {
        self.state.value.sinceBookmark = 0
        self.pump()
        if self.state.value.isEnded || !self.state.value.initial.isEmpty { return }
        var lines = ByteBuffer()
        self.line("BOOKMARK", self.bookmark(endsInitial: false), to: &lines)
        self.write(lines)
      }
    }
  }

  private func cutIfStalled() -> Bool {
    if channel.isWritable {
      state.value.stalled = nil
      return false
    }
    let since = state.value.stalled ?? .now()
    state.value.stalled = since
    if NIODeadline.now() - since < .seconds(Int64(server.options.stallLimit)) { return false }
    server.options.log?.warning(
      "a watcher of \(answer.selection.type.plural) took nothing for \(server.options.stallLimit) s: cut")
    end(.cut)
    return true
  }

  enum Ending {
    /// With the last chunk, so that the connection can go on.
    case complete
    /// The connection is cut.
    case cut
    /// The client has gone.
    case gone
  }

  func end(_ ending: Ending) {
    if state.value.isEnded { return }
    state.value.isEnded = true
    state.value.timeout?.cancel()
    server.forget(self)
    switch ending {
    case .complete: ended(true)
    case .cut: ended(false)
    case .gone: break
    }
  }
}
