internal import Logging
internal import NIOCore
internal import NIOHTTP1
internal import ServedAPI
internal import Text

/// One connection: its requests in order, each answered before the next.
final class RequestHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundOut = HTTPServerResponsePart

  /// `maxRequestBodyBytes` of API servers.
  private static let bodyLimit = 3 << 20
  /// Requests that wait for an answer before them.
  private static let waitingLimit = 64

  private let server: APIServer
  private var head: HTTPRequestHead?
  private var body = ByteBuffer()
  private var isTooLarge = false
  private var waiting: [(HTTPRequestHead, ByteBuffer, isTooLarge: Bool)] = []
  private var isBusy = false
  private var watch: WatchStream?

  init(_ server: APIServer) { self.server = server }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      self.head = head
      body.clear()
      isTooLarge = false
      // curl waits for this with a larger body.
      if head.headers.first(name: "Expect")?.lowercased() == "100-continue" {
        let informing = HTTPResponseHead(version: head.version, status: .continue)
        context.writeAndFlush(wrapOutboundOut(.head(informing)), promise: nil)
      }
    case .body(var part):
      if isTooLarge || body.readableBytes + part.readableBytes > Self.bodyLimit {
        isTooLarge = true
        body.clear()
      } else {
        body.writeBuffer(&part)
      }
    case .end:
      guard let head else { return }
      self.head = nil
      if isBusy {
        if waiting.count >= Self.waitingLimit { return context.close(promise: nil) }
        waiting.append((head, body, isTooLarge))
      } else {
        answer(head, body, isTooLarge, context)
      }
      body = ByteBuffer()
    }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if context.channel.isWritable { watch?.pump() }
    context.fireChannelWritabilityChanged()
  }

  func channelInactive(context: ChannelHandlerContext) {
    watch?.end(.gone)
    watch = nil
    waiting.removeAll()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  private func answer(
    _ head: HTTPRequestHead, _ body: ByteBuffer, _ isTooLarge: Bool, _ context: ChannelHandlerContext
  ) {
    isBusy = true
    let begin = NIODeadline.now()
    let target = RequestTarget(head.uri)
    guard target.path.first.map({ $0.isEqualInConstantTime(to: server.options.token) }) ?? false else {
      return send(APIBody(APIStatus(.unauthorized, "Unauthorized")), head, begin, context)
    }
    if isTooLarge {
      let status = APIStatus(.tooLarge, "limit is \(Self.bodyLimit) bytes")
      return send(APIBody(status), head, begin, context)
    }
    guard let method = APIRequest.Method(rawValue: head.method.rawValue) else {
      return send(APIBody(APIStatus(.methodNotAllowed, "the server does not know this method")), head, begin, context)
    }
    let contentType = String((head.headers.first(name: "Content-Type") ?? "").prefix { $0 != ";" })
    if let status = APIRequest.refusal(ofBody: contentType) { return send(APIBody(status), head, begin, context) }
    guard let text = String(validating: body.readableBytesView, as: UTF8.self) else {
      return send(APIBody(APIStatus(.badRequest, "the body is no UTF-8 text")), head, begin, context)
    }
    let request = APIRequest(
      method, path: Array(target.path.dropFirst()), query: target.query,
      accept: head.headers["Accept"].joined(separator: ","),
      contentType: contentType, body: text,
      userAgent: head.headers.first(name: "User-Agent") ?? "")
    switch server.answer(request) {
    case .body(let body): send(body, head, begin, context)
    case .list(let list): send(APIBody(200, list.bytes), head, begin, context)
    case .watch(let watch): start(watch, head, begin, context)
    }
  }

  private func send(
    _ answer: APIBody, _ head: HTTPRequestHead, _ begin: NIODeadline, _ context: ChannelHandlerContext
  ) {
    var response = Self.response(head, answer.code, answer.contentType)
    response.headers.add(name: "Content-Length", value: String(answer.bytes.count))
    for warning in answer.warnings {
      response.headers.add(name: "Warning", value: "299 - \"\(warning.forHeader)\"")
    }
    context.write(wrapOutboundOut(.head(response)), promise: nil)
    if head.method != .HEAD {
      context.write(
        wrapOutboundOut(.body(.byteBuffer(context.channel.allocator.buffer(bytes: answer.bytes)))), promise: nil)
    }
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    log(head, answer.code, answer.bytes.count, begin)
    finish(head, context)
  }

  private func start(
    _ watch: WatchAnswer, _ head: HTTPRequestHead, _ begin: NIODeadline, _ context: ChannelHandlerContext
  ) {
    // Without a length, the encoder writes chunks.
    var response = Self.response(head, 200, "application/json")
    if head.version.minor > 0 { response.headers.add(name: "Transfer-Encoding", value: "chunked") }
    context.write(wrapOutboundOut(.head(response)), promise: nil)
    // The headers go out at once: clients wait for them.
    context.flush()
    log(head, 200, nil, begin)
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    let stream = WatchStream(watch, server, context.channel) { isComplete in
      let (handler, context) = bound.value
      handler.watch = nil
      if !isComplete { return context.close(promise: nil) }
      context.writeAndFlush(handler.wrapOutboundOut(.end(nil)), promise: nil)
      handler.finish(head, context)
    }
    self.watch = stream
    stream.begin()
  }

  /// Goes on with the next request, or closes the connection if the client wants that.
  private func finish(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
    isBusy = false
    if !head.isKeepAlive { return context.close(promise: nil) }
    if waiting.isEmpty { return }
    let (next, body, isTooLarge) = waiting.removeFirst()
    // Not at once: a client with many requests at hand must not fill the stack.
    let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
    isBusy = true
    context.eventLoop.execute {
      let (handler, context) = bound.value
      if context.channel.isActive { handler.answer(next, body, isTooLarge, context) }
    }
  }

  private static func response(_ head: HTTPRequestHead, _ code: Int, _ contentType: String) -> HTTPResponseHead {
    var headers = HTTPHeaders([("Content-Type", contentType), ("Cache-Control", "no-cache, private")])
    if !head.isKeepAlive { headers.add(name: "Connection", value: "close") }
    return HTTPResponseHead(version: head.version, status: HTTPResponseStatus(statusCode: code), headers: headers)
  }

  /// `size`: `nil` for a stream. The secret is left out.
  private func log(_ head: HTTPRequestHead, _ code: Int, _ size: Int?, _ begin: NIODeadline) {
    guard let log = server.options.log else { return }
    let target = head.uri.replacing("/\(server.options.token)", with: "", maxReplacements: 1)
    let time = (NIODeadline.now() - begin).nanoseconds / 1000
    let agent = (head.headers.first(name: "User-Agent") ?? "-").cut(to: 60).onOneLine
    let what = size.map { "\($0) bytes, \(time) us" } ?? "watch"
    log.info(
      "\(head.method.rawValue.cut(to: 20).onOneLine) \(target.cut(to: 300).onOneLine) \(code) (\(what)) \(agent)")
  }
}

extension String {
  /// A text in quotes in a header: without quotes, and with nothing that ends a header.
  fileprivate var forHeader: String {
    String(onOneLine.unicodeScalars.filter(\.isASCII).map { $0 == "\"" || $0 == "\\" ? "'" : Character($0) })
  }

  /// How long it takes says nothing about where the two differ.
  fileprivate func isEqualInConstantTime(to other: String) -> Bool {
    let (own, others) = (Array(utf8), Array(other.utf8))
    if own.count != others.count { return false }
    return zip(own, others).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
  }
}
