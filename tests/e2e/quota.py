#!/usr/bin/env python3
"""Random changes of an index with a quota, whose account is compared with a
recount of the backing folder (and of what is open without a name) after every
one. quota.py MOUNT INDEX BACKING SECONDS SEED"""
import ctypes, errno, json, os, random, stat, sys, time

mnt, index, backing, seconds, seed = sys.argv[1:]
root = os.path.join(mnt, index)
files = os.path.join(backing, "indexes", index, "files")
rnd = random.Random(int(seed))
libc = ctypes.CDLL(None, use_errno=True)
open_fds = []  # of documents, with or without a name
done, over = {}, 0


def recount():
    seen, size, names = set(), 0, 0
    for d, _, fs in os.walk(files):
        for f in [os.path.join(d, f) for f in fs] + [
                os.path.join(d, x) for x in os.listdir(d)
                if os.path.islink(os.path.join(d, x)) and os.path.isdir(os.path.join(d, x)) and x not in fs]:
            st = os.lstat(f)
            names += 1
            if st.st_ino not in seen:
                size += st.st_size
            seen.add(st.st_ino)
    for ino, n in {(s.st_ino, s.st_size) for s in map(os.fstat, open_fds) if s.st_nlink == 0}:
        size += n
    return size, names


def account():
    v = {}
    with open(os.path.join(root, ".rankfs/status")) as f:
        for line in f:
            w = line.split()
            if w[0].startswith("quota_"):
                v[w[0]] = int(w[1])
    return v["quota_bytes"], v["quota_files"]


def name():
    d = rnd.choice(["", "", "d1/", "d2/"])
    return os.path.join(root, d + "f%d" % rnd.randrange(14))


def data():
    return os.urandom(rnd.choice([0, 1, 100, 4096, 20000, 90000]))


def renameat2(a, b, flags):
    if libc.renameat2(-100, a.encode(), -100, b.encode(), flags) < 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def some_fd(flags=os.O_RDWR | os.O_CREAT):
    if open_fds and rnd.random() < .7:
        return rnd.choice(open_fds)
    fd = os.open(name(), flags, 0o644)
    open_fds.append(fd)
    return fd


def save():
    with open(name(), "wb") as f:
        f.write(data())


def append():
    with open(name(), "ab") as f:
        f.write(data())


def save_beside():
    n = name()
    with open(n + ".new", "wb") as f:
        f.write(data())
    os.rename(n + ".new", n)


def empty():
    os.close(os.open(name(), os.O_RDONLY | os.O_TRUNC))


def close_one():
    if open_fds:
        os.close(open_fds.pop(rnd.randrange(len(open_fds))))


def again():
    """By a descriptor that is no open file: also one without a name."""
    n = name()
    p = os.open(n, os.O_PATH | os.O_NOFOLLOW)
    try:
        if rnd.random() < .7:
            os.unlink(n)
        open_fds.append(os.open("/proc/self/fd/%d" % p, os.O_RDWR))
        os.pwrite(open_fds[-1], data(), 0)
    finally:
        os.close(p)


def imports():
    line = {"id": os.path.relpath(name(), root), "text": "x" * rnd.choice([1, 3000, 50000])}
    with open(os.path.join(root, ".rankfs/import"), "w") as f:
        f.write(json.dumps(line) + "\n")


def copy():
    a, b = some_fd(), some_fd()
    os.copy_file_range(a, b, 200000, rnd.randrange(1000), rnd.randrange(100000))


def allocate():
    mode = rnd.choice([0, 1, 3, 16])  # 1 keeps the size, 2 makes holes, 16 zeroes
    if libc.fallocate(some_fd(), mode, ctypes.c_long(rnd.randrange(100)), ctypes.c_long(1 + rnd.randrange(90000))) < 0:
        raise OSError(ctypes.get_errno(), "fallocate")


OPS = [
    save, save, append, save_beside, empty, close_one, close_one, again, imports, copy, allocate,
    lambda: os.pwrite(some_fd(), data(), rnd.randrange(100000)),
    lambda: os.ftruncate(some_fd(), rnd.randrange(150000)),
    lambda: os.truncate(name(), rnd.randrange(150000)),
    lambda: os.unlink(name()), lambda: os.unlink(name()),
    lambda: os.rename(name(), name()),
    lambda: renameat2(name(), name(), 2),  # exchange
    lambda: renameat2(name(), name(), 1),  # noreplace
    lambda: renameat2(name(), name(), 4),  # whiteout
    lambda: os.link(name(), name(), follow_symlinks=False),
    lambda: os.link(name(), name(), follow_symlinks=False),
    lambda: os.symlink("t" * rnd.randrange(1, 300), name()),
    lambda: os.mknod(name(), 0o644 | stat.S_IFSOCK) if rnd.random() < .2 else None,
    lambda: os.mkdir(os.path.join(root, rnd.choice(["d1", "d2"]))),
    lambda: os.rmdir(os.path.join(root, rnd.choice(["d1", "d2"]))),
    lambda: os.close(os.open(name(), os.O_CREAT | os.O_EXCL | os.O_WRONLY)),
]


def main():
    global over
    end = time.time() + float(seconds)
    n = 0
    while time.time() < end or n < 500:
        op = rnd.choice(OPS)
        try:
            op()
        except OSError as e:
            if e.errno == errno.EDQUOT:
                over += 1
            elif e.errno not in (errno.ENOENT, errno.EEXIST, errno.ELOOP, errno.ENOTEMPTY, errno.EINVAL,
                                 errno.ENXIO, errno.EXDEV, errno.EOPNOTSUPP, errno.EBADF, errno.ESPIPE,
                                 errno.EISDIR, errno.EACCES, errno.ENOTDIR, errno.EPERM, errno.ENAMETOOLONG):
                raise
        n += 1
        while len(open_fds) > 8:
            close_one()
        got, want = account(), recount()
        late = time.time() + 5
        while got != want and time.time() < late:  # the kernel tells of a last close a little later
            got, want = account(), recount()
        if got != want:
            sys.exit("after %d operations, the last %s: account %s, recount %s" % (n, op, got, want))
    print("operations", n, "over", over)
    if over < 20:
        sys.exit("the limits were hardly met")


main()
