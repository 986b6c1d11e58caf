"""Asynchronous direct writes beside buffered readers of the same pages.

  aio.py FILE ROUNDS

What io_getevents(2) says is written is what read(2) must give afterwards.
"""

import ctypes
import mmap
import os
import platform
import struct
import sys

CALLS = {
    "x86_64": {"io_setup": 206, "io_getevents": 208, "io_submit": 209},
    "aarch64": {"io_setup": 0, "io_submit": 2, "io_getevents": 4},
}[platform.machine()]
PAGE = 4096
PAGES = 16
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *args):
    rc = libc.syscall(CALLS[name], *args)
    if rc < 0:
        raise OSError(ctypes.get_errno(), name)
    return rc


def write_async(ring, fd, buf, n, offset):
    # struct iocb: data, key, rw_flags, opcode (1 = PWRITE), reqprio, fd, ...
    iocb = ctypes.create_string_buffer(
        struct.pack("<QIIHhIQQqQII", 0, 0, 0, 1, 0, fd, buf, n, offset, 0, 0, 0)
    )
    one = (ctypes.c_void_p * 1)(ctypes.addressof(iocb))
    call("io_submit", ring, ctypes.c_long(1), one)
    event = ctypes.create_string_buffer(32)
    call("io_getevents", ring, ctypes.c_long(1), ctypes.c_long(1), event, None)
    res = struct.unpack("<QQqq", event.raw)[2]
    if res != n:
        raise SystemExit(f"a write of {n} ended with {res}")


def reader(path):
    fd = os.open(path, os.O_RDONLY)
    while True:
        os.pread(fd, PAGE * PAGES, 0)


def main(path, rounds):
    with open(path, "wb") as f:
        f.write(b"\0" * PAGE * PAGES)
    readers = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            reader(path)
        readers.append(pid)
    bad = 0
    try:
        direct = os.open(path, os.O_RDWR | os.O_DIRECT)
        plain = os.open(path, os.O_RDONLY)
        page = mmap.mmap(-1, PAGE)
        at = ctypes.addressof(ctypes.c_char.from_buffer(page))
        ring = ctypes.c_ulong(0)
        call("io_setup", ctypes.c_long(4), ctypes.byref(ring))
        for i in range(rounds):
            want = bytes([1 + i % 250]) * PAGE
            page[:] = want
            offset = i % PAGES * PAGE
            write_async(ring, direct, at, PAGE, offset)
            if os.pread(plain, PAGE, offset) != want:
                bad += 1
    finally:
        for pid in readers:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
    if bad:
        raise SystemExit(f"{bad} of {rounds} reads were of before the write")


main(sys.argv[1], int(sys.argv[2]))
