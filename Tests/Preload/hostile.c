// Makes the C library hostile to the program that it is preloaded into: a send takes one byte, any call may be interrupted
// by a signal, and the time of day jumps an hour to and fro. All of that is legal. A receive gives all there is, as
// epoll(7) says that who waits for edges may rely on.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_uint shortened, interrupted, jumps;

static unsigned chance(void) {
  static _Thread_local unsigned state;
  if (state == 0) state = 2463534242u ^ (unsigned)syscall(SYS_gettid);
  state ^= state << 13, state ^= state >> 17, state ^= state << 5;
  return state >> 8;
}

static int is_interrupted(void) {
  if (chance() % 8 != 0) return 0;
  atomic_fetch_add(&interrupted, 1);
  errno = EINTR;
  return 1;
}

static size_t shorten(size_t count, size_t most) {
  if (count <= most) return count;
  atomic_fetch_add(&shortened, 1);
  return most;
}

ssize_t send(int fd, const void *bytes, size_t count, int flags) {
  if (is_interrupted()) return -1;
  return sendto(fd, bytes, shorten(count, 1), flags, NULL, 0);
}

ssize_t recv(int fd, void *bytes, size_t count, int flags) {
  if (is_interrupted()) return -1;
  return recvfrom(fd, bytes, count, flags, NULL, NULL);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
  if (is_interrupted()) return -1;
  return (int)syscall(SYS_accept4, fd, address, length, flags);
}

int epoll_wait(int epoll, struct epoll_event *events, int count, int timeout) {
  if (is_interrupted()) return -1;
  return epoll_pwait(epoll, events, count, timeout, NULL);
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(clock, time);
  if (result == 0 && clock == CLOCK_REALTIME) time->tv_sec += atomic_fetch_add(&jumps, 1) % 2 ? 3600 : -3600;
  return result;
}

__attribute__((destructor)) static void report(void) {
  fprintf(stderr, "hostile: %u shortened, %u interrupted\n", shortened, interrupted);
}
