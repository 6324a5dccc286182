#define _GNU_SOURCE 1
#include <malloc.h>
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

_Static_assert(CL_NEWNET == CLONE_NEWNET && CL_NEWUSER == CLONE_NEWUSER && CL_NEWNS == CLONE_NEWNS, "clone flags");
_Static_assert(CL_EPOLLIN == EPOLLIN && CL_EPOLLOUT == EPOLLOUT, "epoll events");
_Static_assert(CL_EPOLLERR == EPOLLERR && CL_EPOLLHUP == EPOLLHUP, "epoll events");

// Missing in older C library headers. The numbers are the same on all architectures since Linux 5.1.
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

int cl_unshare(int flags) { return unshare(flags) == 0 ? 0 : -errno; }

int cl_setns(int fd, int type) { return setns(fd, type) == 0 ? 0 : -errno; }

int cl_gettid(void) { return (int)syscall(SYS_gettid); }

int cl_errno(void) { return errno; }

const char *cl_errno_name(int code) { return strerrorname_np(code); }

static int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  ssize_t length = (ssize_t)strlen(text);
  ssize_t written;
  do written = write(fd, text, (size_t)length);
  while (written < 0 && errno == EINTR);
  int result = written == length ? 0 : written < 0 ? -errno : -EIO;
  close(fd);
  return result;
}

int cl_enter_user_namespace(const char **step) {
  // Read before unshare: afterwards both return the overflow ID.
  unsigned uid = geteuid(), gid = getegid();
  char map[32];
  int result;

  *step = "unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS)";
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0) return -errno;

  // The kernel accepts a gid_map from an unprivileged writer only after setgroups is denied (user_namespaces(7)).
  *step = "write /proc/self/setgroups";
  if ((result = write_file("/proc/self/setgroups", "deny")) != 0) return result;
  *step = "write /proc/self/uid_map";
  snprintf(map, sizeof map, "0 %u 1", uid);
  if ((result = write_file("/proc/self/uid_map", map)) != 0) return result;
  *step = "write /proc/self/gid_map";
  snprintf(map, sizeof map, "0 %u 1", gid);
  if ((result = write_file("/proc/self/gid_map", map)) != 0) return result;

  *step = "make mounts private";
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) return -errno;
  *step = "mount tmpfs on /run";
  if (mount("none", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") != 0) return -errno;
  *step = "";
  return 0;
}

int cl_effective_capabilities(uint64_t *capabilities) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
  if (syscall(SYS_capget, &header, data) != 0) return -errno;
  *capabilities = (uint64_t)data[1].effective << 32 | data[0].effective;
  return 0;
}

int cl_memfd_create(const char *name) {
  int fd = memfd_create(name, MFD_CLOEXEC);
  return fd >= 0 ? fd : -errno;
}

int cl_output_pipe(int fds[2]) {
  if (pipe2(fds, O_CLOEXEC) != 0) return -errno;
  if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0) return 0;
  int code = errno;
  close(fds[0]);
  close(fds[1]);
  return -code;
}

int cl_pidfd_open(int pid) {
  long fd = syscall(SYS_pidfd_open, pid, 0);
  return fd >= 0 ? (int)fd : -errno;
}

// Runs in the vfork child, on memory shared with its parent: async-signal-safe calls only. Returns errno.
static int become(const char *path, char *const argv[], char *const envp[], const int fds[3], int keep, pid_t parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  if (getppid() != parent) _exit(127);

  // The parent's handlers must not run here. exec keeps ignored signals ignored; SIGPIPE is reset, as a pipe's reader
  // may leave.
  for (int number = 1; number < NSIG; number++) {
    struct sigaction action;
    if (sigaction(number, NULL, &action) != 0) continue;
    if (action.sa_handler == SIG_DFL || (action.sa_handler == SIG_IGN && number != SIGPIPE)) continue;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    sigaction(number, &action, NULL);
  }

  // First moved away from 0, 1 and 2, then into place: dup2 of a descriptor onto itself would keep close-on-exec.
  int high[3];
  for (int i = 0; i < 3; i++)
    if ((high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3)) < 0) return errno;
  for (int i = 0; i < 3; i++)
    if (dup2(high[i], i) < 0) return errno;
  // Since Linux 5.11. Before that, O_CLOEXEC on every descriptor has to suffice.
  syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (keep >= 0 && fcntl(keep, F_SETFD, 0) != 0) return errno;

  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, NULL) != 0) return errno;
  execve(path, argv, envp);
  return errno;
}

int cl_spawn(const char *path, char *const argv[], char *const envp[], const int fds[3], int keep) {
  if (keep >= 0 && keep < 3) return -EINVAL;
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);

  // vfork, not posix_spawn: only this way can the child request PR_SET_PDEATHSIG before exec. It shares this memory
  // until then, so it can report why exec failed. (ThreadSanitizer turns it into a fork: 127.)
  volatile int refused = 0;
  pid_t parent = getpid();
  pid_t child = vfork();
  if (child == 0) {
    refused = become(path, argv, envp, fds, keep, parent);
    _exit(127);
  }
  int code = child < 0 ? errno : refused;
  pthread_sigmask(SIG_SETMASK, &before, NULL);

  if (code == 0) return child;
  if (child > 0)
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
  return -code;
}

// What a contained process reports to its parent before it is what it should be.
struct refusal {
  int code;
  char step[60];
};

_Noreturn static void refuse(int report, const char *step) {
  struct refusal refusal = {.code = errno};
  strncpy(refusal.step, step, sizeof refusal.step - 1);
  if (write(report, &refusal, sizeof refusal) < 0) _exit(126);
  _exit(126);
}

// Puts files in place of others. Their tmpfs has no place of its own: only the files show it.
static void cover(const struct cl_file *files, int count, int report) {
  // The kernel refuses to bind what is outside of a mount namespace, so the tmpfs stands on /tmp for a moment.
  if (mount("none", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=64m") != 0) refuse(report, "mount a tmpfs");
  for (int i = 0; i < count; i++) {
    char own[] = "/tmp/a";
    own[5] = (char)('a' + i);
    int fd = open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd < 0) refuse(report, "make a file in a tmpfs");
    const char *text = files[i].text;
    for (unsigned long done = 0; done < files[i].length;) {
      ssize_t written = write(fd, text + done, files[i].length - done);
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) refuse(report, "write a file in a tmpfs");
      done += (unsigned long)written;
    }
    fchmod(fd, 0644);
    close(fd);
    // Machines without such a file, and those where a link leads nowhere, stay without.
    if (mount(own, files[i].path, NULL, MS_BIND, NULL) != 0 && errno != ENOENT) refuse(report, files[i].path);
  }
  if (umount2("/tmp", MNT_DETACH) != 0) refuse(report, "unmount a tmpfs");
}

int cl_start_contained(const char *path, char *const argv[], char *const envp[], const char *host,
                       const struct cl_file *files, int count, int keep, char *step) {
  int ends[2];
  step[0] = 0;
  if (keep >= 0 && keep < 3) return -EINVAL;
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  sigset_t all, before, none;
  sigfillset(&all);
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  // A copy of this process with one thread: async-signal-safe calls only.
  long child = syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) {
    int report = ends[1];
    close(ends[0]);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) refuse(report, "prctl");
    // The parent may have ended before that.
    struct pollfd reader = {.fd = report, .events = POLLOUT};
    if (poll(&reader, 1, 0) < 0 || (reader.revents & POLLERR)) _exit(126);
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) refuse(report, "make mounts private");
    cover(files, count, report);
    // What programs read of their processes and interfaces. A container may refuse it, and most programs do without.
    (void)!mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    (void)!mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    (void)!sethostname(host, strlen(host));
    long program = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    if (program < 0) refuse(report, "clone");
    if (program == 0) {
      syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
      if (keep >= 0) fcntl(keep, F_SETFD, 0);
      sigprocmask(SIG_SETMASK, &none, NULL);
      execve(path, argv, envp);
      refuse(report, "execve");
    }
    // Init keeps nothing open, or the listeners would outlive this program.
    if (syscall(SYS_close_range, 3, ~0U, 0) != 0)
      for (int fd = 3; fd < 65536; fd++) close(fd);
    for (;;) {
      int status;
      pid_t ended = waitpid(-1, &status, 0);
      if (ended == program) _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
      if (ended < 0 && errno != EINTR) _exit(126);
    }
  }
  int code = child < 0 ? errno : 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  close(ends[1]);
  struct refusal refusal;
  ssize_t length = 0;
  if (code == 0) {
    do length = read(ends[0], &refusal, sizeof refusal);
    while (length < 0 && errno == EINTR);
  } else {
    strcpy(step, "clone");
  }
  close(ends[0]);
  if (length == sizeof refusal) {
    while (waitpid((pid_t)child, NULL, 0) < 0 && errno == EINTR) {}
    memcpy(step, refusal.step, sizeof refusal.step);
    code = refusal.code;
  }
  return code == 0 ? (int)child : -code;
}

void cl_take_terminal(void) {
  // A process of a background group that asks for the terminal gets SIGTTOU, unless it is blocked (tcsetpgrp(3)).
  sigset_t tty, before;
  sigemptyset(&tty);
  sigaddset(&tty, SIGTTOU);
  pthread_sigmask(SIG_BLOCK, &tty, &before);
  for (int fd = 0; fd < 3; fd++)
    if (isatty(fd) && tcsetpgrp(fd, getpgrp()) == 0) break;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

extern char **environ;
static char **arguments;

// glibc gives the arguments of main to constructors.
__attribute__((constructor)) static void save_arguments(int count, char **values) {
  (void)count;
  arguments = values;
}

char *const *cl_arguments(void) { return arguments; }

char *const *cl_environ(void) { return environ; }

void cl_line_buffer_stdout(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

int cl_epoll_create(void) {
  int fd = epoll_create1(EPOLL_CLOEXEC);
  return fd >= 0 ? fd : -errno;
}

int cl_epoll_add(int epoll, int fd, unsigned events, unsigned long long token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 ? 0 : -errno;
}

int cl_epoll_wait(int epoll, struct cl_ready *ready, int capacity, int milliseconds) {
  struct epoll_event events[CL_EPOLL_MAX];
  int count;
  do count = epoll_wait(epoll, events, capacity < CL_EPOLL_MAX ? capacity : CL_EPOLL_MAX, milliseconds);
  while (count < 0 && errno == EINTR);
  if (count < 0) return -errno;
  for (int i = 0; i < count; i++) ready[i] = (struct cl_ready){.token = events[i].data.u64, .events = events[i].events};
  return count;
}

int cl_accept(int fd) {
  int connection;
  do connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
  while (connection < 0 && errno == EINTR);
  return connection >= 0 ? connection : -errno;
}

int cl_processor_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : -errno;
}

int cl_use_last_processor(int is_last) {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return -errno;
  int last = -1;
  for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &set)) last = cpu;
  if (last < 0) return -EINVAL;
  if (is_last) {
    CPU_ZERO(&set);
    CPU_SET(last, &set);
  } else {
    CPU_CLR(last, &set);
  }
  return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

int cl_set_timer_slack(unsigned long nanoseconds) {
  return prctl(PR_SET_TIMERSLACK, nanoseconds, 0, 0, 0) == 0 ? 0 : -errno;
}

int cl_open_frame_socket(int interface) {
  // Protocol 0: incoming frames are not copied to this socket.
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_ifindex = interface};
  int on = 1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 &&
      setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on) == 0)
    return fd;
  int code = errno;
  close(fd);
  return -code;
}

int cl_send_frames(int fd, const void *frames, unsigned stride, unsigned length, unsigned count) {
  struct mmsghdr messages[CL_MOST_FRAMES];
  struct iovec parts[CL_MOST_FRAMES];
  if (count > CL_MOST_FRAMES) count = CL_MOST_FRAMES;
  memset(messages, 0, count * sizeof *messages);
  for (unsigned i = 0; i < count; i++) {
    parts[i] = (struct iovec){.iov_base = (char *)frames + i * stride, .iov_len = length};
    messages[i].msg_hdr.msg_iov = &parts[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  int sent = sendmmsg(fd, messages, count, 0);
  return sent >= 0 ? sent : -errno;
}

void cl_trim(void) { malloc_trim(0); }
