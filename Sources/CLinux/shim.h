// The few declarations of Linux that Swift's Glibc module hides or cannot express.
#pragma once

#include <errno.h>
#include <link.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

long syscall(long, ...);

int accept4(int, struct sockaddr *, socklen_t *, int);
const char *strerrorname_np(int);
const char *strerrordesc_np(int);
const char *sigabbrev_np(int);

// glibc declares these with a transparent union under _GNU_SOURCE, which Swift does not import.
static inline int clinux_accept4(int fd, struct sockaddr_storage *address, socklen_t *length, int flags) {
  return accept4(fd, (struct sockaddr *)address, length, flags);
}
static inline int clinux_bind(int fd, const struct sockaddr_storage *address, socklen_t length) {
  return bind(fd, (const struct sockaddr *)address, length);
}
static inline int clinux_connect(int fd, const struct sockaddr_storage *address, socklen_t length) {
  return connect(fd, (const struct sockaddr *)address, length);
}
static inline int clinux_getsockname(int fd, struct sockaddr_storage *address, socklen_t *length) {
  return getsockname(fd, (struct sockaddr *)address, length);
}
static inline int clinux_getpeername(int fd, struct sockaddr_storage *address, socklen_t *length) {
  return getpeername(fd, (struct sockaddr *)address, length);
}

static inline void clinux_prefetch(const void *address, int size) {
  for (int offset = 0; offset < size; offset += 64) __builtin_prefetch((const char *)address + offset, 1);
}

// ioctl is variadic.
static inline int clinux_unread_bytes(int fd, int *count) { return ioctl(fd, FIONREAD, count); }

// Of Swift's concurrency runtime, as the compiler calls them. Without parameters, or with one pointer, the
// conventions of C and Swift agree.
void *swift_task_getCurrent(void);
_Bool swift_task_isCancelled(void *task);

char *swift_demangle(const char *mangled, size_t length, char *output, size_t *capacity, uint32_t flags);

// glibc declares this under _GNU_SOURCE.
struct clinux_symbol {
  const char *file;
  void *base;
  const char *name;
  void *address;
};
int dladdr(const void *address, struct clinux_symbol *symbol);

// Makes a library that is loaded call something else instead of a function of another library: elf(5), the entries of
// its procedure linkage table. `library` is what dlopen(3) answers, which glibc defines as its link map.
static inline _Bool clinux_redirect_calls(void *library, const char *function, void *replacement) {
  const struct link_map *map = (const struct link_map *)library;
  const ElfW(Rela) *calls = 0;
  const ElfW(Sym) *symbols = 0;
  const char *names = 0;
  size_t size = 0;
  for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
    if (entry->d_tag == DT_JMPREL) calls = (const ElfW(Rela) *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_PLTRELSZ) size = entry->d_un.d_val;
    if (entry->d_tag == DT_SYMTAB) symbols = (const ElfW(Sym) *)entry->d_un.d_ptr;
    if (entry->d_tag == DT_STRTAB) names = (const char *)entry->d_un.d_ptr;
  }
  if (!calls || !symbols || !names) return 0;
  for (size_t i = 0; i < size / sizeof *calls; i++) {
    if (strcmp(names + symbols[ELF64_R_SYM(calls[i].r_info)].st_name, function) != 0) continue;
    void **slot = (void **)(map->l_addr + calls[i].r_offset);
    uintptr_t page = (uintptr_t)slot & ~(uintptr_t)(sysconf(_SC_PAGESIZE) - 1);
    if (mprotect((void *)page, (uintptr_t)(slot + 1) - page, PROT_READ | PROT_WRITE) != 0) return 0;
    __atomic_store_n(slot, replacement, __ATOMIC_RELEASE);
    return 1;
  }
  return 0;
}

// cpu_set_t and its macros want _GNU_SOURCE.
static inline int clinux_available_cores(void) {
  uint64_t mask[128] = {0};
  int count = 0;
  if (syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) < 0) return 1;
  for (int i = 0; i < 128; i++) count += __builtin_popcountll(mask[i]);
  return count;
}

static inline int clinux_epoll_add(int epoll, int fd, uint32_t events, uint64_t key) {
  struct epoll_event event = {.events = events, .data = {.u64 = key}};
  int result = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  if (result < 0 && errno == EEXIST) result = epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
  return result;
}

enum {
  CLINUX_EPOLLIN = EPOLLIN,
  CLINUX_EPOLLOUT = EPOLLOUT,
  CLINUX_EPOLLPRI = EPOLLPRI,
  CLINUX_EPOLLRDHUP = EPOLLRDHUP,
  CLINUX_EPOLLHUP = EPOLLHUP,
  CLINUX_EPOLLERR = EPOLLERR,
};
static const uint32_t CLINUX_EPOLLET = (uint32_t)EPOLLET;
static const int CLINUX_EPOLL_CLOEXEC = EPOLL_CLOEXEC;
static const int CLINUX_EVENTFD_FLAGS = EFD_CLOEXEC | EFD_NONBLOCK;
static const int CLINUX_SOCKET_FLAGS = SOCK_NONBLOCK | SOCK_CLOEXEC;
static const int CLINUX_SOCK_STREAM = SOCK_STREAM;
static const int CLINUX_SOCK_DGRAM = SOCK_DGRAM;
static const int CLINUX_SOCK_SEQPACKET = SOCK_SEQPACKET;
static const int CLINUX_TCP_NODELAY = TCP_NODELAY;
static const int CLINUX_TCP_USER_TIMEOUT = TCP_USER_TIMEOUT;
static const int CLINUX_TCP_INFO = TCP_INFO;
static const int CLINUX_IPPROTO_IP = IPPROTO_IP;
static const int CLINUX_IP_BIND_ADDRESS_NO_PORT = IP_BIND_ADDRESS_NO_PORT;
// EAI_NODATA, which <netdb.h> shows under _GNU_SOURCE alone.
static const int CLINUX_EAI_NODATA = -5;
static const int CLINUX_IPPROTO_TCP = IPPROTO_TCP;
static const int CLINUX_IPPROTO_IPV6 = IPPROTO_IPV6;
