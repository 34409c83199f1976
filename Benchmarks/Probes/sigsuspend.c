// Lets a Swift program run under valgrind: LD_PRELOAD=sigsuspend.so valgrind … program
//
// Before it makes the system call, valgrind (3.19) takes SIGKILL out of the signal mask, in the
// caller's own memory. The mask with which libdispatch parks the main thread is a constant, in
// read-only memory, so that valgrind would crash. A copy may be written to.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

int sigsuspend(const sigset_t *mask) {
    sigset_t copy = *mask;
    return (int)syscall(SYS_rt_sigsuspend, &copy, _NSIG / 8);
}
