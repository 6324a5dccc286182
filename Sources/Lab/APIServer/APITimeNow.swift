internal import Glibc
internal import ServedAPI

extension APITime {
  static var now: APITime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return APITime(milliseconds: time.tv_sec * 1000 + time.tv_nsec / 1_000_000)
  }
}
