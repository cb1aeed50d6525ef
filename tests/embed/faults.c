/* Calls of the C library that fail when they are told to: fault_arm(k, error) lets the k-th call from then on fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

static long left, calls;
static int code;

void fault_arm(long k, int error) { left = k; code = error; calls = 0; }
long fault_calls(void) { return calls; }

static int fails(void) {
    calls++;
    if (left <= 0 || --left) return 0;
    errno = code;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t n) {
    return fails() ? (REAL(write)(fd, data, n / 2), errno = code, -1) : REAL(write)(fd, data, n);
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    return fails() ? (REAL(pwrite)(fd, data, n / 2, at), errno = code, -1) : REAL(pwrite)(fd, data, n, at);
}
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at) {
    return fails() ? (REAL(pwrite64)(fd, data, n / 2, at), errno = code, -1) : REAL(pwrite64)(fd, data, n, at);
}
int fsync(int fd) { return fails() ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return fails() ? -1 : REAL(fdatasync)(fd); }
int ftruncate(int fd, off_t n) { return fails() ? -1 : REAL(ftruncate)(fd, n); }
int ftruncate64(int fd, off64_t n) { return fails() ? -1 : REAL(ftruncate64)(fd, n); }
int unlink(const char *path) { return fails() ? -1 : REAL(unlink)(path); }
int mkdir(const char *path, mode_t mode) { return fails() ? -1 : REAL(mkdir)(path, mode); }
void *mmap(void *at, size_t n, int prot, int flags, int fd, off_t offset) {
    return fd >= 0 && fails() ? MAP_FAILED : REAL(mmap)(at, n, prot, flags, fd, offset);
}
void *mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t offset) {
    return fd >= 0 && fails() ? MAP_FAILED : REAL(mmap64)(at, n, prot, flags, fd, offset);
}
int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return fails() ? -1 : REAL(open)(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return fails() ? -1 : REAL(open64)(path, flags, mode);
}
