/* Stands between a process and the C library: records what the process does to the files of one folder, and makes some of it fail.
 *
 * Built by tests/simulation/disk_watch.py and preloaded into an unmodified process. Environment:
 *   EDGE_DISK_FOLDER   the folder (an absolute path without symbolic links); files whose name ends in -shm are left out, they are never synced
 *   EDGE_DISK_RECORD   where the record is appended; none is kept without it
 *   EDGE_DISK_FAIL_SYNC  "40 1": 40 syncs succeed, the next one fails; -1 is all of the next ones
 *   EDGE_DISK_DIE      "60 200": the process kills itself after 60 lines on standard output or 200 calls that failed, between two steps,
 *                      so that the record is exactly what happened
 * Functions for the process itself (through ctypes): edge_fail, edge_full, edge_heal, edge_failed.
 *
 * A record is a sequence of: u8 kind, u32 file, u64 at, u32 length, then length bytes. Numbers are little-endian. Everything is recorded under
 * one lock: a write when it has been done, a sync when it has returned, a line on standard output before it is written.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPENED = 1, WROTE, CUT, SYNCED, RENAMED, REMOVED, FOLDER_SYNCED, SAID, SYNC_FAILED, BEGAN };
enum { WRITES = 1, SYNCS = 2, CUTS = 4 };
enum { FDS = 4096, FILES = 65536, FOLDER = -2 };

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static char folder[4096];
static size_t folder_length;
static int record = -1;
static int32_t file_of[FDS]; /* 0: none of ours */
static struct { dev_t dev; ino_t ino; } known[FILES];
static int32_t files;

static int fail_calls, fail_errno, fail_tears;
static long fail_after, fail_count, failed;
static int full;
static int64_t room;
static long die_lines = -1, die_failed = -1;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_writev)(int, const struct iovec *, int);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_pwritev)(int, const struct iovec *, int, off64_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_fallocate)(int, off64_t, off64_t);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);

static void look_up(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_writev = dlsym(RTLD_NEXT, "writev");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_pwritev = dlsym(RTLD_NEXT, "pwritev64");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_fallocate = dlsym(RTLD_NEXT, "posix_fallocate64");
  real_openat = dlsym(RTLD_NEXT, "openat64");
  real_close = dlsym(RTLD_NEXT, "close");
  real_rename = dlsym(RTLD_NEXT, "rename");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
}

static void ready(void) {
  if (!real_unlink) look_up();
}

static void put_all(const void *data, size_t length) {
  const char *from = data;
  while (length) {
    ssize_t done = real_write(record, from, length);
    if (done < 0) abort();
    from += done;
    length -= done;
  }
}

static void note(int kind, int32_t file, uint64_t at, const void *data, uint32_t length) {
  if (record < 0) return;
  unsigned char head[17];
  uint32_t number = file;
  head[0] = kind;
  memcpy(head + 1, &number, 4);
  memcpy(head + 5, &at, 8);
  memcpy(head + 13, &length, 4);
  put_all(head, sizeof head);
  put_all(data, length);
}

__attribute__((constructor)) static void begin(void) {
  look_up();
  const char *where = getenv("EDGE_DISK_FOLDER"), *into = getenv("EDGE_DISK_RECORD"), *nth = getenv("EDGE_DISK_FAIL_SYNC"), *die = getenv("EDGE_DISK_DIE");
  if (where && strlen(where) < sizeof folder) {
    strcpy(folder, where);
    folder_length = strlen(folder);
  }
  if (into && *into) {
    int fd = real_openat(AT_FDCWD, into, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    record = fcntl(fd, F_DUPFD_CLOEXEC, 1000);
    real_close(fd);
    note(BEGAN, 0, 0, "", 0);
  }
  if (nth && sscanf(nth, "%ld %ld", &fail_after, &fail_count) == 2) {
    fail_calls = SYNCS;
    fail_errno = EIO;
  }
  if (die && sscanf(die, "%ld %ld", &die_lines, &die_failed) != 2) abort();
}

/* The path below the folder, or NULL; "" is the folder itself. */
static const char *below(const char *path) {
  size_t length = strlen(path);
  if (!folder_length || strncmp(path, folder, folder_length) || (path[folder_length] && path[folder_length] != '/')) return NULL;
  if (length > 4 && !strcmp(path + length - 4, "-shm")) return NULL;
  return path[folder_length] ? path + folder_length + 1 : path + folder_length;
}

static int32_t ours(int fd) { return fd >= 0 && fd < FDS ? file_of[fd] : 0; }

/* The number of an open file: new when it was just made, since a removed file's inode is used again. */
static int32_t number_of(int fd, int made) {
  struct stat is;
  if (fstat(fd, &is)) abort();
  for (int32_t n = files; n > 0 && !made; n--)
    if (known[n].ino == is.st_ino && known[n].dev == is.st_dev) return n;
  if (++files >= FILES) abort();
  known[files].dev = is.st_dev;
  known[files].ino = is.st_ino;
  return files;
}

static void opened(int fd, const char *path, int flags, int existed) {
  const char *name = below(path);
  if (fd < 0 || !name) return;
  if (fd >= FDS) abort();
  if (!*name || (flags & O_DIRECTORY)) {
    file_of[fd] = FOLDER;
    return;
  }
  file_of[fd] = number_of(fd, !existed);
  note(OPENED, file_of[fd], existed, name, strlen(name));
  if (flags & O_TRUNC) note(CUT, file_of[fd], 0, "", 0);
}

/* Whether this call shall fail; errno is set then. */
static int fails(int32_t file, int call) {
  if (!file || !(fail_calls & call) || !fail_count) return 0;
  if (fail_after > 0) {
    fail_after--;
    return 0;
  }
  if (fail_count > 0) fail_count--;
  failed++;
  if (failed == die_failed) raise(SIGKILL);
  errno = fail_errno;
  return 1;
}

/* Whether there is no room to write up to `end`; takes what is needed. */
static int no_room(int32_t file, int fd, int64_t end) {
  struct stat is;
  if (!full || file <= 0 || fstat(fd, &is)) return 0;
  int64_t more = end - is.st_size;
  if (more <= 0) return 0;
  if (more <= room) {
    room -= more;
    return 0;
  }
  failed++;
  errno = ENOSPC;
  return 1;
}

void edge_fail(int calls, int number, long after, long count, int tears) {
  pthread_mutex_lock(&lock);
  fail_calls = calls;
  fail_errno = number;
  fail_after = after;
  fail_count = count;
  fail_tears = tears;
  pthread_mutex_unlock(&lock);
}

void edge_full(int64_t bytes) {
  pthread_mutex_lock(&lock);
  full = 1;
  room = bytes;
  pthread_mutex_unlock(&lock);
}

void edge_heal(void) {
  pthread_mutex_lock(&lock);
  fail_count = 0;
  full = 0;
  pthread_mutex_unlock(&lock);
}

long edge_failed(void) {
  pthread_mutex_lock(&lock);
  long many = failed;
  pthread_mutex_unlock(&lock);
  return many;
}

static ssize_t do_write(int fd, const void *data, size_t length, off64_t at) {
  int32_t file = ours(fd);
  ssize_t done;
  if (file <= 0) return at < 0 ? real_write(fd, data, length) : real_pwrite(fd, data, length, at);
  pthread_mutex_lock(&lock);
  off64_t place = at;
  if (at < 0) place = fcntl(fd, F_GETFL) & O_APPEND ? lseek64(fd, 0, SEEK_END) : lseek64(fd, 0, SEEK_CUR);
  int bad = fails(file, WRITES) || no_room(file, fd, place + (int64_t)length), why = errno;
  if (bad && fail_tears && length > 1 && errno != ENOSPC) {
    done = real_pwrite(fd, data, length / 2, place);
    if (done > 0) note(WROTE, file, place, data, done);
  }
  if (bad) {
    done = -1;
  } else {
    done = at < 0 ? real_write(fd, data, length) : real_pwrite(fd, data, length, at);
    why = errno;
    if (done > 0) note(WROTE, file, place, data, done);
  }
  pthread_mutex_unlock(&lock);
  errno = why;
  return done;
}

ssize_t write(int fd, const void *data, size_t length) {
  ready();
  if (fd == 1 && record >= 0) {
    pthread_mutex_lock(&lock);
    if (die_lines == 0) raise(SIGKILL);
    if (length > 5 && (!memcmp(data, "done ", 5) || !memcmp(data, "sold ", 5))) die_lines--;
    note(SAID, 0, 0, data, length);
    pthread_mutex_unlock(&lock);
  }
  return do_write(fd, data, length, -1);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  ready();
  return do_write(fd, data, length, at);
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t at) { return pwrite64(fd, data, length, at); }

static ssize_t do_writev(int fd, const struct iovec *parts, int count, off64_t at) {
  ssize_t all = 0;
  for (int part = 0; part < count; part++) {
    ssize_t done = do_write(fd, parts[part].iov_base, parts[part].iov_len, at < 0 ? -1 : at + all);
    if (done < 0) return all ? all : -1;
    all += done;
    if ((size_t)done < parts[part].iov_len) break;
  }
  return all;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  ready();
  return ours(fd) > 0 ? do_writev(fd, parts, count, -1) : real_writev(fd, parts, count);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  ready();
  return ours(fd) > 0 ? do_writev(fd, parts, count, at) : real_pwritev(fd, parts, count, at);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }

int ftruncate64(int fd, off64_t size) {
  ready();
  int32_t file = ours(fd);
  if (file <= 0) return real_ftruncate(fd, size);
  struct stat was;
  pthread_mutex_lock(&lock);
  int freed = full && !fstat(fd, &was) && was.st_size > size;
  int done = fails(file, CUTS) || no_room(file, fd, size) ? -1 : real_ftruncate(fd, size), why = errno;
  if (!done && freed) room += was.st_size - size;
  if (!done) note(CUT, file, size, "", 0);
  pthread_mutex_unlock(&lock);
  errno = why;
  return done;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

int posix_fallocate64(int fd, off64_t at, off64_t length) {
  ready();
  int32_t file = ours(fd);
  struct stat is;
  if (file <= 0) return real_fallocate(fd, at, length);
  pthread_mutex_lock(&lock);
  int why = fails(file, CUTS) || no_room(file, fd, at + length) ? errno : real_fallocate(fd, at, length);
  if (!why && !fstat(fd, &is)) note(CUT, file, is.st_size, "", 0);
  pthread_mutex_unlock(&lock);
  return why;
}

int posix_fallocate(int fd, off_t at, off_t length) { return posix_fallocate64(fd, at, length); }

static int do_sync(int fd, int (*sync)(int)) {
  int32_t file = ours(fd);
  if (!file) return sync(fd);
  pthread_mutex_lock(&lock);
  int bad = fails(file, SYNCS), done = bad ? -1 : sync(fd), why = errno;
  if (!done && file == FOLDER) note(FOLDER_SYNCED, 0, 0, "", 0);
  if (file > 0) note(done ? SYNC_FAILED : SYNCED, file, 0, "", 0);
  pthread_mutex_unlock(&lock);
  errno = why;
  return done;
}

int fsync(int fd) {
  ready();
  return do_sync(fd, real_fsync);
}

int fdatasync(int fd) {
  ready();
  return do_sync(fd, real_fdatasync);
}

static int do_open(int at, const char *path, int flags, mode_t mode) {
  ready();
  if (at != AT_FDCWD || !below(path)) return real_openat(at, path, flags, mode);
  pthread_mutex_lock(&lock);
  int existed = !(flags & O_CREAT) || !access(path, F_OK), fd = real_openat(at, path, flags, mode), why = errno;
  opened(fd, path, flags, existed);
  pthread_mutex_unlock(&lock);
  errno = why;
  return fd;
}

#define MODE(flags) \
  mode_t mode = 0; \
  if ((flags) & (O_CREAT | __O_TMPFILE)) { \
    va_list more; \
    va_start(more, flags); \
    mode = va_arg(more, mode_t); \
    va_end(more); \
  }

int open64(const char *path, int flags, ...) {
  MODE(flags)
  return do_open(AT_FDCWD, path, flags, mode);
}

int open(const char *path, int flags, ...) {
  MODE(flags)
  return do_open(AT_FDCWD, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...) {
  MODE(flags)
  return do_open(at, path, flags, mode);
}

int openat(int at, const char *path, int flags, ...) {
  MODE(flags)
  return do_open(at, path, flags, mode);
}

int close(int fd) {
  ready();
  if (fd >= 0 && fd < FDS && file_of[fd]) {
    pthread_mutex_lock(&lock);
    file_of[fd] = 0;
    pthread_mutex_unlock(&lock);
  }
  return real_close(fd);
}

int rename(const char *from, const char *to) {
  ready();
  if (!below(from) || !below(to)) return real_rename(from, to);
  char both[8192];
  pthread_mutex_lock(&lock);
  int done = real_rename(from, to), why = errno;
  int length = snprintf(both, sizeof both, "%s%c%s", below(from), 0, below(to));
  if (!done) note(RENAMED, 0, 0, both, length);
  pthread_mutex_unlock(&lock);
  errno = why;
  return done;
}

int unlink(const char *path) {
  ready();
  if (!below(path)) return real_unlink(path);
  struct stat is;
  pthread_mutex_lock(&lock);
  int64_t freed = full && !stat(path, &is) ? is.st_size : 0;
  int done = real_unlink(path), why = errno;
  if (!done) {
    room += freed;
    note(REMOVED, 0, 0, below(path), strlen(below(path)));
  }
  pthread_mutex_unlock(&lock);
  errno = why;
  return done;
}
