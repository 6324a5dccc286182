internal import CLinux
internal import Glibc
internal import SystemPackage

/// Runs a C call that returns -1 and sets errno on failure; retries after EINTR.
///
/// Never inlined, and errno is read first: releasing an object in between could change it.
@inline(never) @discardableResult
func call<Result: SignedInteger>(
  _ operation: @autoclosure () -> String, _ body: () -> Result
) throws(KernelError) -> Result {
  while true {
    let result = body()
    if result != -1 { return result }
    let code = cl_errno()
    if code != EINTR { throw KernelError(operation(), code: code) }
  }
}

/// Returns the result of a CLinux function, which returns -errno on failure. Throws that errno.
@discardableResult
func checked(_ operation: @autoclosure () -> String, _ result: Int32) throws(KernelError) -> Int32 {
  guard result >= 0 else { throw KernelError(operation(), code: -result) }
  return result
}

/// Runs calls of SystemPackage, whose errors are bare numbers, and adds the name of the operation to an error.
func named<Result>(_ operation: @autoclosure () -> String, _ body: () throws -> Result) throws(KernelError) -> Result {
  do {
    return try body()
  } catch let error as Errno {
    throw KernelError(operation(), error)
  } catch let error as KernelError {
    throw error
  } catch {
    throw KernelError(operation(), code: EIO, message: "\(error)")
  }
}

/// A file descriptor with a single owner, which closes it.
struct OwnedDescriptor: ~Copyable, Sendable {
  let number: Int32

  init(_ number: Int32) { self.number = number }
  deinit { Glibc.close(number) }

  var file: FileDescriptor { FileDescriptor(rawValue: number) }
}
