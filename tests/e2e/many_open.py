"""More files open than the daemon may have descriptors.

  many_open.py FOLDER CLIENTS FILES

Each client keeps FILES files open and uses them in no order: reads, writes,
appends, files without a name, of another mode, renamed and emptied.
"""

import os
import random
import resource
import sys


def limit(n):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < n:
        resource.setrlimit(resource.RLIMIT_NOFILE, (n, max(hard, n)))


def client(top, number, files):
    random.seed(number)
    limit(files + 100)
    home = f"{top}/c{number}"
    os.mkdir(home)
    fds, want = [], []
    for i in range(files):
        flags = os.O_RDWR | os.O_CREAT | (os.O_APPEND if i % 7 == 0 else 0)
        fd = os.open(f"{home}/f{i}", flags, 0o444 if i % 5 == 0 else 0o644)
        text = b"client %d file %d\n" % (number, i)
        os.write(fd, text)
        if i % 11 == 0:
            os.chmod(f"{home}/f{i}", 0)
        if i % 13 == 0:
            os.rename(f"{home}/f{i}", f"{home}/g{i}")
        elif i % 17 == 0:
            os.unlink(f"{home}/f{i}")
        fds.append(fd)
        want.append(bytearray(text))
    order = list(range(files))
    for _ in range(3):
        random.shuffle(order)
        for i in order:
            got = os.pread(fds[i], 1000, 0)
            if got != want[i]:
                raise SystemExit(f"client {number} file {i}: {got} {want[i]}")
            os.lseek(fds[i], 0, os.SEEK_END)
            os.write(fds[i], b"more\n")
            want[i] += b"more\n"
            if i % 19 == 0:
                os.ftruncate(fds[i], 5)
                want[i] = want[i][:5]
            if i % 23 == 0:
                os.fsync(fds[i])
            if os.fstat(fds[i]).st_size != len(want[i]):
                raise SystemExit(f"client {number} file {i}: size")
    for fd in fds:
        os.close(fd)


top, clients, files = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
pids = []
for c in range(clients):
    pid = os.fork()
    if pid == 0:
        client(top, c, files)
        os._exit(0)
    pids.append(pid)
bad = sum(os.waitpid(pid, 0)[1] != 0 for pid in pids)
if bad:
    raise SystemExit(f"{bad} clients failed")
