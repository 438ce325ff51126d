/*
 * Stands between flakedb and the C library, and breaks the world at a chosen call.
 *
 * Counted are the calls that change a file: writing, cutting, flushing, making, naming and removing.
 * What goes to standard input, output and error is left alone. The environment says what happens:
 *
 *   FAULT_AT=N       at the N-th counted call, from 1; 0 never
 *   FAULT_KIND=      kill        the process dies before the call
 *                    torn        half of the bytes are written, then it dies
 *                    power       it dies, and what no fsync of its file confirmed is undone
 *                    power-some  the same, but each unconfirmed write reaches the disk or not by FAULT_SEED
 *                    full        half of the bytes, then ENOSPC; for what needs room alone
 *                    io          EIO
 *                    ro          EROFS
 *   FAULT_ONCE=1     only that call fails; else all from it on
 *   FAULT_LOG=FILE   one line a counted call: number, name, path
 *   FAULT_READ_AT=N  the N-th read of a file and all behind it fail with EIO
 *   FAULT_NO_SHM=1   files cannot be shared as memory, as on many network file systems
 *   FAULT_CLOCK=S    the clock of the day is S seconds off
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int ready, once, no_shm, log_fd = -1;
static long at, read_at, calls, reads, clock_off;
static unsigned long long seed;
static char kind[16];

/* The kernel itself, so that the shim's own steps are not counted. */
#define RAW_WRITE(fd, bytes, n, where) syscall(SYS_pwrite64, fd, bytes, n, where)

static long number(const char *name) {
  const char *text = getenv(name);
  return text ? atol(text) : 0;
}

static void prepare(void) {
  if (ready) return;
  ready = 1;
  at = number("FAULT_AT");
  read_at = number("FAULT_READ_AT");
  once = (int)number("FAULT_ONCE");
  no_shm = (int)number("FAULT_NO_SHM");
  clock_off = number("FAULT_CLOCK");
  seed = (unsigned long long)number("FAULT_SEED") * 2654435761u + 88172645463325252ull;
  const char *text = getenv("FAULT_KIND");
  if (text) snprintf(kind, sizeof kind, "%s", text);
  text = getenv("FAULT_LOG");
  if (text) log_fd = (int)syscall(SYS_openat, AT_FDCWD, text, O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

static int is(const char *word) { return strcmp(kind, word) == 0; }

/*
 * What a loss of power takes back: the bytes and the size before each write that no fsync confirmed. Closing the
 * descriptors kept for it drops the process's locks of the file, so that only one process at a time may be run so.
 */
struct undo {
  struct undo *next;
  dev_t device;
  ino_t inode;
  int fd;
  off_t where, size;
  size_t length;
  char bytes[];
};
static struct undo *undone;

static void remember(int fd, off_t where, size_t length) {
  struct stat now;
  if (strncmp(kind, "power", 5) != 0 || fstat(fd, &now) != 0 || !S_ISREG(now.st_mode)) return;
  struct undo *one = malloc(sizeof *one + length);
  if (!one) abort();
  ssize_t got = length ? syscall(SYS_pread64, fd, one->bytes, length, where) : 0;
  if (got < 0) {
    /* Opened for writing alone: read it through another descriptor. */
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int other = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
    got = syscall(SYS_pread64, other, one->bytes, length, where);
    syscall(SYS_close, other);
  }
  one->device = now.st_dev;
  one->inode = now.st_ino;
  one->fd = (int)syscall(SYS_dup, fd);
  one->where = where;
  one->size = now.st_size;
  one->length = got > 0 ? (size_t)got : 0;
  one->next = undone;
  undone = one;
}

static void confirm(int fd) {
  struct stat now;
  if (fstat(fd, &now) != 0) return;
  for (struct undo **link = &undone; *link;) {
    struct undo *one = *link;
    if (one->device == now.st_dev && one->inode == now.st_ino) {
      *link = one->next;
      syscall(SYS_close, one->fd);
      free(one);
    } else {
      link = &one->next;
    }
  }
}

static void lose_power(int some) {
  for (struct undo *one = undone; one; one = one->next) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    if (some && (seed >> 32) % 2) continue;
    if (one->length) RAW_WRITE(one->fd, one->bytes, one->length, one->where);
    /* A write that was kept may stand behind this one: then the file stays that long. */
    if (!some) syscall(SYS_ftruncate, one->fd, one->size);
  }
}

static void die(void) {
  syscall(SYS_kill, getpid(), SIGKILL);
  for (;;) pause();
}

/* Counts a call. Returns the error that it must fail with, or 0; `half` is set where half of it is to be done first. */
static int counted(const char *name, int fd, const char *path, int needs_room, int *half) {
  char seen[PATH_MAX] = "";
  prepare();
  if (half) *half = 0;
  if (!path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, seen, sizeof seen - 1);
    seen[length > 0 ? length : 0] = 0;
    path = seen;
    if (strncmp(path, "/dev/", 5) == 0 || path[0] != '/') return 0;
  }
  calls++;
  if (log_fd >= 0) {
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", calls, name, path);
    syscall(SYS_write, log_fd, line, length);
  }
  if (!at || calls < at || (once && calls > at)) return 0;
  int first = calls == at;
  if (is("kill")) die();
  if (is("torn") && half) { *half = 1; return 0; }
  if (is("torn")) die();
  if (is("power") || is("power-some")) { lose_power(is("power-some")); die(); }
  if (is("full")) {
    if (!needs_room) return 0;
    if (half) *half = first;
    return first && half ? 0 : ENOSPC;
  }
  if (is("ro")) return EROFS;
  return is("io") ? EIO : 0;
}

static int skipped(int fd) { return fd >= 0 && fd <= 2; }

#define FAIL(error) do { pthread_mutex_unlock(&lock); errno = error; return -1; } while (0)

static ssize_t written(const char *name, int fd, const void *bytes, size_t length, off_t where, int placed) {
  pthread_mutex_lock(&lock);
  int half, error = counted(name, fd, NULL, 1, &half);
  if (error) FAIL(error);
  if (half) length = length / 2;
  off_t place = placed ? where : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
  struct stat now;
  if (!placed && fstat(fd, &now) == 0 && (fcntl(fd, F_GETFL) & O_APPEND)) place = now.st_size;
  remember(fd, place, length);
  ssize_t done = half && length == 0 ? 0
               : placed ? RAW_WRITE(fd, bytes, length, where) : syscall(SYS_write, fd, bytes, length);
  int kept = errno;
  if (half && is("torn")) die();
  /* Nothing to halve: the disk is full at once. */
  if (half && done == 0) FAIL(ENOSPC);
  pthread_mutex_unlock(&lock);
  errno = kept;
  return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
  if (skipped(fd)) return syscall(SYS_write, fd, bytes, length);
  return written("write", fd, bytes, length, 0, 0);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t where) {
  return written("pwrite", fd, bytes, length, where, 1);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off_t where) {
  return written("pwrite", fd, bytes, length, where, 1);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  if (skipped(fd)) return syscall(SYS_writev, fd, parts, count);
  /* A writer may write less than it was asked to: the first part alone is enough. */
  for (int part = 0; part < count; part++)
    if (parts[part].iov_len) return written("writev", fd, parts[part].iov_base, parts[part].iov_len, 0, 0);
  return 0;
}

/* A whole copy by the kernel counts as one write, and callers fall back to reading and writing. */
ssize_t copy_file_range(int from, off_t *in, int to, off_t *out, size_t length, unsigned flags) {
  (void)from, (void)in, (void)to, (void)out, (void)length, (void)flags;
  errno = ENOSYS;
  return -1;
}

ssize_t sendfile(int to, int from, off_t *where, size_t length) {
  (void)to, (void)from, (void)where, (void)length;
  errno = ENOSYS;
  return -1;
}

ssize_t sendfile64(int to, int from, off_t *where, size_t length) { return sendfile(to, from, where, length); }

static int cut(int fd, off_t size) {
  struct stat now;
  pthread_mutex_lock(&lock);
  int longer = fstat(fd, &now) == 0 && size > now.st_size;
  int error = counted("ftruncate", fd, NULL, longer, NULL);
  if (error) FAIL(error);
  if (!longer && now.st_size > size) remember(fd, size, (size_t)(now.st_size - size));
  int done = (int)syscall(SYS_ftruncate, fd, size);
  pthread_mutex_unlock(&lock);
  return done;
}

int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off_t size) { return cut(fd, size); }

static int flushed(const char *name, long call, int fd) {
  pthread_mutex_lock(&lock);
  int error = counted(name, fd, NULL, 0, NULL);
  if (error) FAIL(error);
  int done = (int)syscall(call, fd);
  if (done == 0) confirm(fd);
  pthread_mutex_unlock(&lock);
  return done;
}

int fsync(int fd) { return flushed("fsync", SYS_fsync, fd); }
int fdatasync(int fd) { return flushed("fdatasync", SYS_fdatasync, fd); }

static int opened(const char *name, int folder, const char *path, int flags, mode_t mode) {
  pthread_mutex_lock(&lock);
  if ((flags & O_CREAT) || (flags & O_TRUNC)) {
    struct stat now;
    int is_new = fstatat(folder, path, &now, 0) != 0;
    if (is_new || (flags & O_TRUNC)) {
      int error = counted(name, -1, path, is_new, NULL);
      if (error) FAIL(error);
    }
  }
  pthread_mutex_unlock(&lock);
  return (int)syscall(SYS_openat, folder, path, flags, mode);
}

#define MODE(flags) mode_t mode = 0; \
  if ((flags) & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); }

int open(const char *path, int flags, ...) { MODE(flags) return opened("open", AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened("open", AT_FDCWD, path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE(flags) return opened("open", folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE(flags) return opened("open", folder, path, flags, mode); }

#define NAMED(name, path, room, call) do { \
  pthread_mutex_lock(&lock); \
  int error = counted(name, -1, path, room, NULL); \
  if (error) FAIL(error); \
  int done = (int)(call); \
  pthread_mutex_unlock(&lock); \
  return done; } while (0)

int unlink(const char *path) { NAMED("unlink", path, 0, syscall(SYS_unlinkat, AT_FDCWD, path, 0)); }
int rmdir(const char *path) { NAMED("rmdir", path, 0, syscall(SYS_unlinkat, AT_FDCWD, path, AT_REMOVEDIR)); }
int rename(const char *old, const char *new) { NAMED("rename", new, 0, syscall(SYS_renameat2, AT_FDCWD, old, AT_FDCWD, new, 0)); }
int link(const char *old, const char *new) { NAMED("link", new, 1, syscall(SYS_linkat, AT_FDCWD, old, AT_FDCWD, new, 0)); }
int mkdir(const char *path, mode_t mode) { NAMED("mkdir", path, 1, syscall(SYS_mkdirat, AT_FDCWD, path, mode)); }

static int unreadable(int fd) {
  struct stat now;
  prepare();
  if (!read_at || skipped(fd) || fstat(fd, &now) != 0 || !S_ISREG(now.st_mode)) return 0;
  pthread_mutex_lock(&lock);
  int broken = ++reads >= read_at;
  pthread_mutex_unlock(&lock);
  return broken;
}

static ssize_t read_from(int fd, void *bytes, size_t length, off_t where, int placed) {
  if (unreadable(fd)) { errno = EIO; return -1; }
  return placed ? syscall(SYS_pread64, fd, bytes, length, where) : syscall(SYS_read, fd, bytes, length);
}

ssize_t read(int fd, void *bytes, size_t length) { return read_from(fd, bytes, length, 0, 0); }
ssize_t pread(int fd, void *bytes, size_t length, off_t where) { return read_from(fd, bytes, length, where, 1); }
ssize_t pread64(int fd, void *bytes, size_t length, off_t where) { return read_from(fd, bytes, length, where, 1); }

static void *mapped(void *address, size_t length, int access, int flags, int fd, off_t where) {
  prepare();
  if (no_shm && fd >= 0 && (flags & MAP_SHARED) && (access & PROT_WRITE)) { errno = ENODEV; return MAP_FAILED; }
  return (void *)syscall(SYS_mmap, address, length, access, flags, fd, where);
}

void *mmap(void *address, size_t length, int access, int flags, int fd, off_t where) { return mapped(address, length, access, flags, fd, where); }
void *mmap64(void *address, size_t length, int access, int flags, int fd, off_t where) { return mapped(address, length, access, flags, fd, where); }

int clock_gettime(clockid_t which, struct timespec *now) {
  prepare();
  int done = (int)syscall(SYS_clock_gettime, which, now);
  if (done == 0 && which == CLOCK_REALTIME) now->tv_sec += clock_off;
  return done;
}
