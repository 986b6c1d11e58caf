"""A user who takes all that he gets, and keeps it.  greedy.py MOUNT WHAT N

watch    inotify watches on query files
ask      conversations, each with a long question and its answer
answers  open files of results
search   searches that read every document, all at once
"""
import ctypes
import os
import sys
import threading
import time

mnt, what, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
kept = []


def watch(i):
    libc = ctypes.CDLL(None, use_errno=True)
    fd = kept[0] if kept else libc.inotify_init1(0)
    if libc.inotify_add_watch(fd, f"{mnt}/query/purple word{i % 50} w{i}".encode(), 2) < 0:
        raise OSError(ctypes.get_errno(), "inotify_add_watch")
    kept.append(fd)


def ask(i):
    fd = os.open(mnt + "/.rankfs/ask", os.O_RDWR)
    kept.append(fd)
    os.write(fd, b"purple yak " + b"w%d " % i * 20000)
    while os.read(fd, 1 << 20):
        pass


def answers(i):
    kept.append(os.open(f"{mnt}/query/purple n:200 NOT w{i}", os.O_RDONLY))


def search(i):
    def one():
        with open(f"{mnt}/query/%2F(yak|x{i}).*{i} of%2F n:1") as f:
            f.read()
        kept.append(i)
        if len(kept) == n:
            print("done", flush=True)
    threading.Thread(target=one, daemon=True).start()


count = 0
try:
    while count < n:
        globals()[what](count)
        count += 1
except OSError as e:
    print("refused:", e)
print("has", count, flush=True)
time.sleep(600)
