#pragma once
#include <stdint.h>

// The Linux calls that Swift can't import: GNU-only, variadic, or safe only in C.
// Plain types only; _GNU_SOURCE and its headers stay in shim.c.
// Every int result is 0 or a positive value on success, or -errno; callers need not read errno.

enum { CL_NEWNET = 0x40000000, CL_NEWUSER = 0x10000000, CL_NEWNS = 0x00020000 };

/// unshare(2).
int cl_unshare(int flags);
/// setns(2).
int cl_setns(int fd, int type);
/// gettid(2).
int cl_gettid(void);
/// errno of the calling thread, for calls made from Swift. Must be read on the next line.
int cl_errno(void);
/// strerrorname_np(3): "ENOENT", or a null pointer for a number without a name.
const char *cl_errno_name(int code);

/// Enters a new user, network and mount namespace, as `unshare -Urnm` does, with a tmpfs on /run.
///
/// The process must have only one thread. On failure `*step` names the call that was refused.
int cl_enter_user_namespace(const char **step);

/// capget(2): the calling thread's effective capabilities, a bit each (linux/capability.h).
int cl_effective_capabilities(uint64_t *capabilities);

/// memfd_create(2) with MFD_CLOEXEC.
int cl_memfd_create(const char *name);
/// pipe2(2) with O_CLOEXEC; the read end is also O_NONBLOCK.
int cl_output_pipe(int fds[2]);
/// pidfd_open(2); close-on-exec by itself.
int cl_pidfd_open(int pid);

/// Starts a program in the namespaces of the calling thread; returns its process ID.
///
/// `fds` become its descriptors 0, 1 and 2. `keep`, unless -1, keeps its number. exec closes all others.
/// The kernel kills the program when the calling *thread* ends (PR_SET_PDEATHSIG).
int cl_spawn(const char *path, char *const argv[], char *const envp[], const int fds[3], int keep);

/// A file that a contained program sees in place of `path`.
struct cl_file {
  const char *path;
  const void *text;
  unsigned long length;
};
/// Starts a program in the network namespace of the calling thread and in new PID, mount and UTS namespaces, with this
/// process's descriptors 0, 1 and 2. Returns the process ID of an init process, which ends as the program ends: with its
/// exit status, or 128 and the number of its signal.
///
/// When init ends, the kernel kills every other process in the PID namespace. It kills init when the calling *thread* ends.
/// `keep`, unless -1, keeps its number. On failure `step`, which has 64 bytes, names the call that was refused.
int cl_start_contained(const char *path, char *const argv[], char *const envp[], const char *host,
                       const struct cl_file *files, int count, int keep, char *step);
/// Makes this process's group the terminal's foreground group again (tcsetpgrp(3)). Does nothing without a terminal.
void cl_take_terminal(void);

/// The arguments that main(3) got, terminated by a null pointer. Needs no /proc.
char *const *cl_arguments(void);
/// The environment of the process, terminated by a null pointer (environ(7)).
char *const *cl_environ(void);
/// setvbuf(3) with _IOLBF on stdout, so that lines appear at once in a pipe too.
void cl_line_buffer_stdout(void);

enum { CL_EPOLLIN = 0x001, CL_EPOLLOUT = 0x004, CL_EPOLLERR = 0x008, CL_EPOLLHUP = 0x010, CL_EPOLL_MAX = 1024 };
/// One entry that epoll_wait(2) returns: struct epoll_event without its packing.
struct cl_ready {
  unsigned long long token;
  unsigned events;
};
/// epoll_create1(2) with EPOLL_CLOEXEC.
int cl_epoll_create(void);
/// epoll_ctl(2) with EPOLL_CTL_ADD.
int cl_epoll_add(int epoll, int fd, unsigned events, unsigned long long token);
/// epoll_wait(2), retried after EINTR; at most CL_EPOLL_MAX entries.
int cl_epoll_wait(int epoll, struct cl_ready *ready, int capacity, int milliseconds);
/// accept4(2) with SOCK_CLOEXEC, retried after EINTR.
int cl_accept(int fd);

/// prctl(2) with PR_SET_TIMERSLACK: how much later than requested the calling thread may be woken, at least 1 ns.
int cl_set_timer_slack(unsigned long nanoseconds);
/// Number of processors that the calling thread may run on (sched_getaffinity(2)).
int cl_processor_count(void);
/// Restricts the calling thread to its last processor, or to all others (sched_setaffinity(2)). Children inherit it.
int cl_use_last_processor(int is_last);

/// An AF_PACKET socket (packet(7)) that sends complete frames from an interface of the calling thread's namespace,
/// bypassing its queueing discipline (PACKET_QDISC_BYPASS). It receives nothing.
int cl_open_frame_socket(int interface);
enum { CL_MOST_FRAMES = 64 };
/// sendmmsg(2) of at most CL_MOST_FRAMES frames, `stride` bytes apart; with 0, one frame repeatedly. Returns the number
/// sent.
int cl_send_frames(int fd, const void *frames, unsigned stride, unsigned length, unsigned count);

/// malloc_trim(3): gives memory that was freed back to the kernel.
void cl_trim(void);
