/* Loaded in front of the C library: writes down, in order, what a program asks of the files below one
 * directory, and does it. `replay.rs` reads the record and says what a power cut would have left.
 *
 * A call is written down while it alone runs, after it was done: what a sync covers is exactly what
 * stands before it in the record. Whatever changes files in a way that is not understood here is written
 * down as such, and the test fails.
 *
 * PRECORDIA_RECORD_LOG   where to write
 * PRECORDIA_RECORD_ROOT  the directory; of what is in it, names that begin with `data`
 * PRECORDIA_FAIL_SYNC    a file; while it is there, the next sync of a path that ends with its text fails
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum operation {
    CREATE = 1, WRITE, TRUNCATE, SYNC, SYNC_DIR, LINK, UNLINK, MAKE_DIR, RENAME, NOT_UNDERSTOOD,
    SYNC_FAILED
};

static int log_fd = -1;
static char root[PATH_MAX];
static size_t root_length;
static pthread_mutex_t alone = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("PRECORDIA_RECORD_LOG");
    const char *dir = getenv("PRECORDIA_RECORD_ROOT");
    if (!log || !dir || strlen(dir) >= sizeof root) return;
    strcpy(root, dir);
    root_length = strlen(root);
    log_fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int recorded_path(const char *path) {
    if (log_fd < 0 || strncmp(path, root, root_length) != 0) return 0;
    const char *rest = path + root_length;
    return *rest == 0 || strncmp(rest, "/data", 5) == 0;
}

/* Whether a file or directory is recorded; fills in its name and what stat says. */
static int recorded(int fd, struct stat *about, char *path) {
    if (log_fd < 0 || fd < 0 || fstat(fd, about) != 0) return 0;
    if (!S_ISREG(about->st_mode) && !S_ISDIR(about->st_mode)) return 0;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return recorded_path(path);
}

static void put(const void *bytes, size_t length) {
    const char *at = bytes;
    while (length > 0) {
        ssize_t done = syscall(SYS_write, log_fd, at, length);
        if (done <= 0) abort();
        at += done;
        length -= (size_t)done;
    }
}

/* One record: operation, inode, offset, two lengths, a path, bytes. */
static void note(enum operation what, uint64_t inode, uint64_t offset, const char *path,
                 const void *bytes, size_t length) {
    int kept = errno;
    uint32_t path_length = (uint32_t)strlen(path), bytes_length = (uint32_t)length;
    unsigned char head[25];
    head[0] = (unsigned char)what;
    memcpy(head + 1, &inode, 8);
    memcpy(head + 9, &offset, 8);
    memcpy(head + 17, &path_length, 4);
    memcpy(head + 21, &bytes_length, 4);
    put(head, sizeof head);
    put(path, path_length);
    put(bytes, length);
    errno = kept;
}

static void note_two(enum operation what, const char *from, const char *to) {
    note(what, 0, 0, from, to, strlen(to));
}

static void not_understood(const char *call, const char *path) {
    pthread_mutex_lock(&alone);
    note_two(NOT_UNDERSTOOD, path, call);
    pthread_mutex_unlock(&alone);
}

/* ---- contents ---- */

static ssize_t recorded_write(int fd, const void *bytes, size_t length, off_t offset, int here) {
    struct stat about;
    char path[PATH_MAX];
    int ours = recorded(fd, &about, path);
    if (ours) pthread_mutex_lock(&alone);
    off_t at = offset;
    if (ours && here) {
        fstat(fd, &about);
        at = fcntl(fd, F_GETFL) & O_APPEND ? about.st_size : lseek(fd, 0, SEEK_CUR);
    }
    ssize_t done = here ? syscall(SYS_write, fd, bytes, length)
                        : syscall(SYS_pwrite64, fd, bytes, length, offset);
    if (ours) {
        if (done > 0) note(WRITE, about.st_ino, (uint64_t)at, path, bytes, (size_t)done);
        pthread_mutex_unlock(&alone);
    }
    return done;
}

ssize_t write(int fd, const void *bytes, size_t length) {
    return recorded_write(fd, bytes, length, 0, 1);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return recorded_write(fd, bytes, length, offset, 0);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset) {
    return recorded_write(fd, bytes, length, offset, 0);
}

static int recorded_truncate(int fd, off_t length) {
    struct stat about;
    char path[PATH_MAX];
    int ours = recorded(fd, &about, path);
    if (ours) pthread_mutex_lock(&alone);
    int done = (int)syscall(SYS_ftruncate, fd, length);
    if (ours) {
        if (done == 0) note(TRUNCATE, about.st_ino, (uint64_t)length, path, "", 0);
        pthread_mutex_unlock(&alone);
    }
    return done;
}

int ftruncate(int fd, off_t length) { return recorded_truncate(fd, length); }
int ftruncate64(int fd, off64_t length) { return recorded_truncate(fd, length); }

/* Whether this sync was told to fail. Whoever takes the order away is the one. */
static int is_failing(const char *path) {
    const char *order = getenv("PRECORDIA_FAIL_SYNC");
    char text[64] = "";
    int fd = order ? (int)syscall(SYS_openat, AT_FDCWD, order, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0 || strlen(path) < strlen(text)) return 0;
    const char *end = path + strlen(path) - strlen(text);
    return strcmp(end, text) == 0 && syscall(SYS_unlinkat, AT_FDCWD, order, 0) == 0;
}

static int recorded_sync(int fd, long call) {
    struct stat about;
    char path[PATH_MAX];
    int ours = recorded(fd, &about, path);
    if (ours) pthread_mutex_lock(&alone);
    if (ours && is_failing(path)) {
        note(SYNC_FAILED, about.st_ino, 0, path, "", 0);
        pthread_mutex_unlock(&alone);
        errno = EIO;
        return -1;
    }
    int done = (int)syscall(call, fd);
    if (ours) {
        enum operation what = S_ISDIR(about.st_mode) ? SYNC_DIR : SYNC;
        if (done == 0) note(what, about.st_ino, 0, path, "", 0);
        pthread_mutex_unlock(&alone);
    }
    return done;
}

int fsync(int fd) { return recorded_sync(fd, SYS_fsync); }
int fdatasync(int fd) { return recorded_sync(fd, SYS_fdatasync); }

/* ---- names ---- */

static int recorded_open(int dir, const char *path, int flags, mode_t mode) {
    int ours = recorded_path(path) && (flags & (O_CREAT | O_TRUNC)) && !(flags & O_DIRECTORY);
    struct stat about;
    int was_there = 0;
    if (ours) {
        pthread_mutex_lock(&alone);
        was_there = stat(path, &about) == 0;
    }
    int fd = (int)syscall(SYS_openat, dir, path, flags, mode);
    if (ours) {
        if (fd >= 0 && fstat(fd, &about) == 0) {
            if (!was_there) note(CREATE, about.st_ino, 0, path, "", 0);
            else if (flags & O_TRUNC) note(TRUNCATE, about.st_ino, 0, path, "", 0);
        }
        pthread_mutex_unlock(&alone);
    }
    return fd;
}

#define MODE(last) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
        va_list more; va_start(more, last); mode = va_arg(more, mode_t); va_end(more); \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return recorded_open(AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags)
    return recorded_open(AT_FDCWD, path, flags, mode);
}
int openat(int dir, const char *path, int flags, ...) {
    MODE(flags)
    return recorded_open(dir, path, flags, mode);
}
int openat64(int dir, const char *path, int flags, ...) {
    MODE(flags)
    return recorded_open(dir, path, flags, mode);
}

#define NAMED(call, path, what, from, to) \
    int ours = recorded_path(path); \
    if (ours) pthread_mutex_lock(&alone); \
    int done = (int)(call); \
    if (ours) { \
        if (done == 0) note_two(what, from, to); \
        pthread_mutex_unlock(&alone); \
    } \
    return done;

int mkdir(const char *path, mode_t mode) {
    NAMED(syscall(SYS_mkdirat, AT_FDCWD, path, mode), path, MAKE_DIR, path, "")
}
int unlink(const char *path) {
    NAMED(syscall(SYS_unlinkat, AT_FDCWD, path, 0), path, UNLINK, path, "")
}
int unlinkat(int dir, const char *path, int flags) {
    NAMED(syscall(SYS_unlinkat, dir, path, flags), path, UNLINK, path, "")
}
int link(const char *from, const char *to) {
    NAMED(syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0), to, LINK, from, to)
}
int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    NAMED(syscall(SYS_linkat, from_dir, from, to_dir, to, flags), to, LINK, from, to)
}
int rename(const char *from, const char *to) {
    NAMED(syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0), to, RENAME, from, to)
}

/* ---- what nobody here should use ---- */

#define REFUSE_FD(call, fd) \
    struct stat about; \
    char path[PATH_MAX]; \
    if (recorded(fd, &about, path)) not_understood(call, path);

ssize_t writev(int fd, const struct iovec *parts, int count) {
    REFUSE_FD("writev", fd)
    return syscall(SYS_writev, fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    REFUSE_FD("pwritev", fd)
    REAL(pwritev);
    return real(fd, parts, count, offset);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
    REFUSE_FD("pwritev64", fd)
    REAL(pwritev64);
    return real(fd, parts, count, offset);
}
int fallocate(int fd, int mode, off_t offset, off_t length) {
    REFUSE_FD("fallocate", fd)
    return (int)syscall(SYS_fallocate, fd, mode, offset, length);
}
int posix_fallocate(int fd, off_t offset, off_t length) {
    REFUSE_FD("posix_fallocate", fd)
    REAL(posix_fallocate);
    return real(fd, offset, length);
}
ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t length,
                        unsigned flags) {
    REFUSE_FD("copy_file_range", out)
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, length, flags);
}
void *mmap(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
    struct stat about;
    char path[PATH_MAX];
    /* The index of SQLite's journal lives in shared memory and is made anew after a crash. */
    if (fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE) && recorded(fd, &about, path) &&
        !strstr(path, "-shm"))
        not_understood("mmap", path);
    return (void *)syscall(SYS_mmap, at, length, protection, flags, fd, offset);
}
void *mmap64(void *at, size_t length, int protection, int flags, int fd, off64_t offset) {
    return mmap(at, length, protection, flags, fd, offset);
}
