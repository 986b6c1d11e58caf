"""Every kind of node of a mount: what the kernel may do with it.

  kinds.py forget MNT MULTI ROUNDS   names are looked up, opened, forgotten by
                                     the kernel and used again, in every order
  kinds.py calls MNT MULTI           every system call of a table on each kind

MULTI is 0 or 1: the mount has many indexes. Prints what went wrong; a daemon
that has gone shows as ENOTCONN.
"""

import ctypes
import errno
import fcntl
import itertools
import mmap
import os
import random
import subprocess
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)

# below the root of an index; `*`: the first entry there whose name is not
# one of the fixed ones
INDEX = """
query query/README query/yak query/yak%20as:json query/saved
query/like:a.md query/TCP/IP query/yak/x
find find/yak find/yak/* find/yak/files find/yak/files/* find/yak/by-ext
find/yak/by-ext/md find/yak/by-ext/md/* find/yak/purple find/saved
find/saved/* recall recall/purple%20yak
.rankfs .rankfs/README .rankfs/AGENTS.md .rankfs/config .rankfs/ctl
.rankfs/error .rankfs/metrics .rankfs/progress .rankfs/status
.rankfs/status.json .rankfs/warnings .rankfs/ask .rankfs/import
.rankfs/events .rankfs/export .rankfs/similar .rankfs/similar/d
.rankfs/similar/d/b.c .rankfs/similar/a.md .rankfs/chunks .rankfs/chunks/d
.rankfs/chunks/d/b.c .rankfs/chunks/d/b.c/* .rankfs/chunks/a.md
.rankfs/text .rankfs/text/d .rankfs/text/d/b.c .rankfs/text/a.md
.rankfs/symbols .rankfs/symbols/hello .rankfs/terms .rankfs/terms/ya
.rankfs/terms/ya/yak .rankfs/at .rankfs/at/*
.rankfs/at/*/query .rankfs/at/*/query/README .rankfs/at/*/query/yak
.rankfs/at/*/find .rankfs/at/*/find/yak .rankfs/at/*/find/yak/*
a.md d d/b.c link hard fifo source source/s.txt empty
""".split()

TOP = """
query query/README query/yak query/yak%20n:1 .rankfs .rankfs/README
.rankfs/ctl .rankfs/error .rankfs/status .rankfs/metrics .rankfs/AGENTS.md one
""".split()

FIXED = {"files", "by-ext", "by-dir", "by-tag", "query", "find"}


def fill(root, outside):
    os.makedirs(f"{root}/d")
    os.makedirs(f"{root}/empty")
    with open(f"{root}/a.md", "w") as f:
        f.write("# One\na purple yak and some more words\n")
    with open(f"{root}/d/b.c", "w") as f:
        f.write("int hello(void)\n{\n\treturn yak();\n}\n")
    os.symlink("a.md", f"{root}/link")
    os.link(f"{root}/a.md", f"{root}/hard")
    os.mkfifo(f"{root}/fifo")
    os.symlink(outside, f"{root}/source")
    os.symlink("yak", f"{root}/query/saved")
    with open(f"{root}/.rankfs/config", "w") as f:
        f.write("cache_dir cache\n")
    os.makedirs(f"{root}/cache")
    with open(f"{root}/cache/purple yak", "w") as f:
        f.write("purple yak\n")
    with open(f"{root}/.rankfs/ctl", "w") as f:
        f.write("checkpoint\n")


def resolve(root, name):
    path = root
    for part in name.split("/"):
        if part == "*":
            names = sorted(set(os.listdir(path)) - FIXED)
            if not names:
                raise SystemExit(f"nothing in {path}")
            part = names[0]
        path = f"{path}/{part.replace('%20', ' ')}"
    os.lstat(path)
    return path


def prepare(mnt, multi):
    outside = os.environ["OUTSIDE"]
    os.makedirs(outside)
    with open(f"{outside}/s.txt", "w") as f:
        f.write("a grey yak elsewhere\n")
    root = mnt
    if multi:
        root = f"{mnt}/one"
        os.mkdir(root)
    fill(root, outside)
    paths = [resolve(root, n) for n in INDEX]
    if multi:
        paths += [resolve(mnt, n) for n in TOP]
    return paths


def is_fifo(path):
    return path.endswith("/fifo")


# --- forgetting -------------------------------------------------------------


def remount(mnt):
    subprocess.run(["mount", "-i", "-o", "remount,rw", mnt], check=True)


def drop_caches(mnt):
    with open("/proc/sys/vm/drop_caches", "w") as f:
        f.write("2\n")


def lookup(path):
    try:
        os.lstat(path)
    except FileNotFoundError:
        pass  # a result that a listing of now no longer has


def use(path):
    """Look at it as ls and cat do; nothing may fail but what is no file."""
    try:
        if os.path.islink(path):
            os.readlink(path)
        elif os.path.isdir(path):
            os.listdir(path)
        elif not is_fifo(path) and not path.endswith("/import"):
            with open(path, "rb") as f:
                f.read()
    except FileNotFoundError:
        pass


def hold(path, how):
    if how == "open" and not is_fifo(path) and not os.path.islink(path):
        write = path.endswith("/import")
        return os.open(path, os.O_WRONLY if write else os.O_RDONLY)
    if how == "path":
        return os.open(path, os.O_PATH | os.O_NOFOLLOW)
    if how == "watch":
        fd = libc.inotify_init1(0)
        libc.inotify_add_watch(fd, path.encode(), 0x2)
        return fd
    return -1


def look(fd):
    try:
        os.fstat(fd)
        os.read(fd, 10)
    except OSError as e:
        if e.errno in (errno.ENOTCONN, errno.ECONNABORTED):
            raise


def forget_round(mnt, paths, order, how, drop):
    held = []
    for p in order:
        lookup(p)
        use(p)
        try:
            fd = hold(p, how)
        except FileNotFoundError:
            continue
        if fd >= 0:
            held.append(fd)
    drop(mnt)
    for fd in held:
        if how == "open":
            look(fd)
    for p in order:
        lookup(p)
    random.shuffle(held)
    for i, fd in enumerate(held):
        os.close(fd)
        if i == len(held) // 2:
            drop(mnt)
    drop(mnt)
    for p in order:
        use(p)


def forget(mnt, multi, rounds):
    paths = prepare(mnt, multi)
    orders = [paths, paths[::-1]]
    for _ in range(rounds):
        orders.append(random.sample(paths, len(paths)))
    for n, (order, how) in enumerate(
        itertools.product(orders, ("nothing", "open", "path", "watch"))
    ):
        forget_round(mnt, paths, order, how, drop_caches if n % 5 == 4 else remount)
    for p in paths:  # one alone, with what leads to it
        lookup(p)
        remount(mnt)
        lookup(p)
        remount(mnt)
    pressure(mnt, paths)
    os.listdir(mnt)


def pressure(mnt, paths):
    """Names that a memory cgroup has no room for are forgotten one by one."""
    group = f"/sys/fs/cgroup/memory/rankfs-test-{os.getpid()}"
    knob = "memory.limit_in_bytes"
    if not os.path.isdir("/sys/fs/cgroup/memory"):
        group = f"/sys/fs/cgroup/rankfs-test-{os.getpid()}"
        knob = "memory.high"
    try:
        os.mkdir(group)
    except OSError as e:
        print(f"# no memory cgroup: {e}")
        return
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            with open(f"{group}/cgroup.procs", "w") as f:
                f.write(str(os.getpid()))
            with open(f"{group}/{knob}", "w") as f:
                f.write(str(24 << 20))
            for i in range(4000):
                lookup(f"{mnt}/query/yak {i}" if i % 3 else paths[i % len(paths)])
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(pid, 0)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            os.rmdir(group)
            break
        except OSError:
            os.sched_yield()
    if status:
        raise SystemExit("lookups under memory pressure failed")


# --- calls ------------------------------------------------------------------

FINE = {
    0, errno.EACCES, errno.EPERM, errno.EINVAL, errno.EBADF, errno.ENODEV,
    errno.EISDIR, errno.ENOTDIR, errno.ENOENT, errno.EOPNOTSUPP, errno.ENOTTY,
    errno.ELOOP, errno.ENXIO, errno.ESPIPE, errno.ENODATA, errno.EXDEV,
    errno.EEXIST, errno.EAGAIN, errno.EFBIG,
}

OPEN_FLAGS = {
    "rdonly": os.O_RDONLY,
    "wronly": os.O_WRONLY,
    "rdwr": os.O_RDWR,
    "append": os.O_WRONLY | os.O_APPEND,
    "trunc": os.O_WRONLY | os.O_TRUNC,
    "direct": os.O_RDONLY | os.O_DIRECT,
    "sync": os.O_RDONLY | os.O_SYNC,
    "directory": os.O_RDONLY | os.O_DIRECTORY,
    "creat": os.O_RDWR | os.O_CREAT,
    "excl": os.O_RDWR | os.O_CREAT | os.O_EXCL,
    "noatime": os.O_RDONLY | os.O_NOATIME,
    "nofollow": os.O_RDONLY | os.O_NOFOLLOW,
    "path": os.O_PATH,
}


def map_it(fd, flags, prot):
    with mmap.mmap(fd, 4096, flags=flags, prot=prot) as m:
        if prot & mmap.PROT_WRITE:
            m.flush()


def check(rc):
    if rc < 0:
        e = ctypes.get_errno()
        raise OSError(e, os.strerror(e))
    return rc


def ioctl(request):
    def call(fd):
        fcntl.ioctl(fd, request, bytearray(64))

    return call


def flock(fd):
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.flock(fd, fcntl.LOCK_UN)


def posix_lock(fd):
    fcntl.lockf(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    fcntl.lockf(fd, fcntl.LOCK_UN)


def copy_from(fd):
    other = os.memfd_create("x")
    try:
        os.copy_file_range(fd, other, 100)
    finally:
        os.close(other)


def copy_within(fd):
    os.copy_file_range(fd, fd, 10, 0, 1 << 20)


def send(fd):
    other = os.memfd_create("x")
    try:
        os.sendfile(other, fd, 0, 100)
    finally:
        os.close(other)


def direct_read(fd):
    with mmap.mmap(-1, 8192) as m:
        os.preadv(fd, [m], 0)


def poll(fd):
    import select

    p = select.poll()
    p.register(fd, select.POLLIN | select.POLLOUT)
    p.poll(0)


def statx_sync(fd):
    check(libc.statx(fd, b"", 0x1000 | 0x2000, 0xFFF, ctypes.create_string_buffer(512)))


CALLS = {
    "fstat": os.fstat,
    "statx": statx_sync,
    "fstatvfs": os.fstatvfs,
    "fsync": os.fsync,
    "fdatasync": os.fdatasync,
    "syncfs": lambda fd: check(libc.syncfs(fd)),
    "sync_file_range": lambda fd: check(libc.sync_file_range(fd, 0, 0, 2)),
    "read": lambda fd: os.read(fd, 100000),
    "read direct": direct_read,
    "pread at 0": lambda fd: os.pread(fd, 10, 0),
    "pread far": lambda fd: os.pread(fd, 10, 1 << 40),
    "write": lambda fd: os.write(fd, b"#\n"),
    "pwrite far": lambda fd: os.pwrite(fd, b"#\n", 1 << 33),
    "ftruncate 0": lambda fd: os.ftruncate(fd, 0),
    "ftruncate": lambda fd: os.ftruncate(fd, 12345),
    "fallocate": lambda fd: os.posix_fallocate(fd, 0, 100),
    "punch": lambda fd: check(
        libc.fallocate(fd, 3, ctypes.c_long(0), ctypes.c_long(100))),
    "seek set": lambda fd: os.lseek(fd, 1 << 40, os.SEEK_SET),
    "seek end": lambda fd: os.lseek(fd, 10, os.SEEK_END),
    "seek data": lambda fd: os.lseek(fd, 0, os.SEEK_DATA),
    "seek hole": lambda fd: os.lseek(fd, 0, os.SEEK_HOLE),
    "map private": lambda fd: map_it(fd, mmap.MAP_PRIVATE, mmap.PROT_READ),
    "map shared": lambda fd: map_it(fd, mmap.MAP_SHARED, mmap.PROT_READ),
    "map shared rw": lambda fd: map_it(
        fd, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE),
    "fchmod": lambda fd: os.fchmod(fd, 0o644),
    "fchown": lambda fd: os.fchown(fd, 0, 0),
    "futimens": lambda fd: os.utime(fd, (1, 1)),
    "getxattr": lambda fd: os.getxattr(fd, "user.x"),
    "get acl": lambda fd: os.getxattr(fd, "system.posix_acl_access"),
    "listxattr": os.listxattr,
    "setxattr": lambda fd: os.setxattr(fd, "user.x", b"y"),
    "removexattr": lambda fd: os.removexattr(fd, "user.x"),
    "flock": flock,
    "posix lock": posix_lock,
    "ioctl TCGETS": ioctl(0x5401),
    "ioctl FIONREAD": ioctl(0x541B),
    "ioctl GETFLAGS": ioctl(0x80086601),
    "ioctl SETFLAGS": ioctl(0x40086602),
    "ioctl FSGETXATTR": ioctl(0x801C581F),
    "ioctl FITRIM": ioctl(0xC0185879),
    "ioctl unknown": ioctl(0xC0107777),
    "copy from": copy_from,
    "copy within": copy_within,
    "sendfile": send,
    "readahead": lambda fd: check(libc.readahead(fd, 0, 4096)),
    "fadvise": lambda fd: os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED),
    "poll": poll,
    "getdents": lambda fd: os.listdir(fd),
    "fchdir": lambda fd: (os.fchdir(fd), os.chdir("/")),
}

NAME_CALLS = {
    "mkdir in": lambda p: os.mkdir(f"{p}/zz,v"),
    "mknod in": lambda p: os.mknod(f"{p}/zz,v"),
    "creat in": lambda p: os.close(os.open(f"{p}/zz,v", os.O_CREAT | os.O_WRONLY)),
    "symlink in": lambda p: os.symlink("/zz", f"{p}/zz,v"),
    "link in": lambda p: os.link(p, f"{p}/zz,v"),
    "unlink in": lambda p: os.unlink(f"{p}/zz,v"),
    "rmdir in": lambda p: os.rmdir(f"{p}/zz,v"),
    "truncate": lambda p: os.truncate(p, 0),
    "readlink": os.readlink,
    "access": lambda p: os.access(p, os.R_OK | os.W_OK | os.X_OK),
    "rename onto": lambda p: os.rename(p, f"{os.path.dirname(p)}/zz,v"),
}


def is_document(path, mnt):
    rest = path[len(mnt):].replace("/one/", "/", 1)
    return rest.split("/")[1] not in ("query", "find", "recall", ".rankfs")


def attempt(what, path, call, *args):
    """errno of a call; dies of one that a daemon must not answer with."""
    try:
        out = call(*args)
        return out if what.startswith("open") else 0
    except OSError as e:
        if e.errno not in FINE:
            raise SystemExit(f"{what} {path}: {e}")
        return -e.errno
    except (ValueError, TypeError):
        return 0  # what Python refuses by itself: a map of nothing


def calls_on(path, flags):
    fd = attempt(f"open {flags}", path, os.open, path,
                 OPEN_FLAGS[flags] | os.O_NONBLOCK, 0o600)
    if fd < 0:
        return
    for name, call in CALLS.items():
        if name in ("map private", "map shared", "map shared rw"):
            if os.fstat(fd).st_size == 0:
                continue
        attempt(f"{name} ({flags})", path, call, fd)
    os.close(fd)


def calls(mnt, multi):
    paths = prepare(mnt, multi)
    for path in paths:
        for flags in OPEN_FLAGS:
            if is_document(path, mnt) and flags != "rdonly":
                continue  # conformance.bats compares them with native ones
            if path.endswith("/import") and flags != "rdonly":
                continue  # waits for lines
            calls_on(path, flags)
        if is_document(path, mnt):
            continue
        for name, call in NAME_CALLS.items():
            attempt(name, path, call, path)
        os.lstat(mnt)
    expect(paths, mnt, multi)


def expect(paths, mnt, multi):
    """What must work on everything that can be opened for reading."""
    for path in paths:
        if is_fifo(path) or os.path.islink(path) or path.endswith("/import"):
            continue
        try:
            fd = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            continue
        for name in ("fstat", "fsync", "fdatasync", "fstatvfs", "flock", "poll"):
            CALLS[name](fd)
        os.close(fd)


if __name__ == "__main__":
    verb, mnt, multi = sys.argv[1], sys.argv[2], sys.argv[3] == "1"
    if verb == "forget":
        forget(mnt, multi, int(sys.argv[4]))
    else:
        calls(mnt, multi)
