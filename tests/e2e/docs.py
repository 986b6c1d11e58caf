#!/usr/bin/env python3
"""Does what README.md, the mount's own help and the manual pages say.

docs.py TREE RANKFS HOME: every command that they show is run by bash with that
HOME, in the order in which they show it; a status other than 0, or an output
of another shape than the one shown, is a failure. What cannot be run as it
stands is in INSTEAD, with the reason. A line in a block of code that is
neither a command, nor an output, nor a row about a path is a failure, too.
"""
import os
import re
import subprocess
import sys
import time

TREE, RANKFS, HOME = sys.argv[1:4]
MNT = HOME + "/rankfs"
BACKING = HOME + "/.local/share/rankfs"
failures = []

# what a document shows: (what is run, why not what it shows)
INSTEAD = {
    "make mount": (f'"{TREE}/scripts/quickstart" ~/quick/b ~/quick/m && rankfs umount ~/quick/m' if os.geteuid() == 0
                   else "mkdir -p ~/quick/m && rankfs ~/quick/b ~/quick/m && rankfs umount ~/quick/m",
                   "~/rankfs is mounted here already; and the tree is not a plain user's to build in"),
    "make extractors": (f'"{TREE}/scripts/deps" --list extractors', "it installs packages"),
    "make install": (f'make -C "{TREE}" -n install', "/usr/local is the machine's"),
    "make test": (f'make -C "{TREE}" -n test', "this is a part of it"),
    "inotifywait -m ~/rankfs/query/overdue": (
        "inotifywait -m ~/rankfs/query/overdue >~/watched & w=$!; "
        "until grep -q ^inotify /proc/$w/fdinfo/*; do :; done 2>/dev/null; "
        'i=0; until grep -q MODIFY ~/watched; do i=$((i + 1)); echo "invoice overdue again $i" >~/rankfs/new$i.md; '
        'cat ~/rankfs/query/overdue >/dev/null; done; kill $w; rm ~/rankfs/new*.md',
        "it does not end by itself: it has to tell of a change"),
    "rankfs -o multi,allow_other /srv/index /srv/search": (
        "mkdir -p ~/srv/search && rankfs -o multi,allow_other ~/srv/index ~/srv/search && mkdir ~/srv/search/one && "
        "echo yak >~/srv/search/one/a.md && grep -q one/a.md ~/srv/search/query/yak && rankfs umount ~/srv/search",
        "/srv is the machine's"),
    "rankfs search -b BACKING rotate keys": ("rankfs search -b ~/.local/share/rankfs rotate keys", "BACKING is a place"),
    "rankfs --index FOLDER MOUNTPOINT": (
        "mkdir -p ~/m3 && XDG_DATA_HOME=~/d3 rankfs --index ~/notes ~/m3 && test -f ~/m3/notes/n.md && rankfs umount ~/m3",
        "FOLDER and MOUNTPOINT are places"),
    "rankfs umount BACKING": (
        "mkdir -p ~/m4 && rankfs ~/b4 ~/m4 && rankfs umount ~/b4", "BACKING is a place"),
    "/home/me/index /home/me/search fuse.rankfs noauto,user 0 0": (
        "mkdir -p ~/m5 && rankfs ~/b5 ~/m5 -o rw,noauto,user && rankfs umount ~/m5",
        "mount(8) runs this for a line of fstab(5)"),
    "mkdir ~/search && rankfs ~/search": (
        "mkdir ~/search && XDG_DATA_HOME=~/d6 rankfs ~/search", "the default place is in use by ~/rankfs"),
    "echo 'embedder static:/opt/model' > ~/rankfs/.rankfs/config": (
        "echo 'embedder static:/opt/model' > ~/rankfs/.rankfs/config && echo 'embedder hash-lsa' > ~/rankfs/.rankfs/config",
        "there is no such model here, and the rest needs an embedder"),
    f"cat {MNT}/.rankfs/text/PATH": (f"cat {MNT}/.rankfs/text/ops.md", "PATH is a document"),
    f'mkdir -p {MNT}/cache; echo TEXT > "{MNT}/cache/QUESTION.md"': (
        f'mkdir -p {MNT}/cache; echo Paris > "{MNT}/cache/What is the capital of France.md"', "QUESTION is one"),
    f'cat "{MNT}/recall/QUESTION"': (
        f'test "$(cat "{MNT}/recall/capital of France")" = Paris', "QUESTION is one"),
    f"cat {MNT}/.rankfs/symbols/NAME": (f"cat {MNT}/.rankfs/symbols/vfs_read", "NAME is one"),
    f"ls -U {MNT}/.rankfs/terms/PREFIX": (f"ls -U {MNT}/.rankfs/terms/inv | grep -q ^inv", "PREFIX is one"),
    f"cat '{MNT}/query/%2Fregex%2F ext:c'": (
        f"cat '{MNT}/query/%2Fvfs_[a-z]+%2F ext:c'", "regex is one"),
    f'cat "{MNT}/query/WORDS OR QUESTION"': (f'cat "{MNT}/query/invoice"', "WORDS are some"),
    "ln -s \"a query\" query/NAME": (
        "cd ~/rankfs && ln -s 'a query' query/NAME && mv query/NAME query/N2 && ln -sf other query/N2 && rm query/N2",
        "said of the mount's root, with mv, ln -sf and rm"),
    "ln DOCUMENT find/NAME/": (
        "cd ~/rankfs && ls find/overdue/ >/dev/null && ln notes/n.md find/overdue/ && ls find/overdue/ | grep -q '^01-n'",
        "DOCUMENT and NAME are names"),
    "rankfs mcp ~/rankfs": ("rankfs mcp ~/rankfs </dev/null", "it serves until its input ends"),
}
INSTEAD_USED = set()
# inline code that begins like a command and is none: only named
NAMED = {"make bench": "hours", "make eval COLLECTIONS=...": "needs collections", "make deps": "make test begins with it",
         "make help": "a list"}


def put(path, text):
    path = HOME + "/" + path
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())


def pdf(text):
    body = f"BT /F1 12 Tf 20 100 Td ({text}) Tj ET".encode()
    parts = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
             b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 200]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
             b"<</Length %d>>stream\n" % len(body) + body + b"\nendstream",
             b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"]
    out, offsets = b"%PDF-1.4\n", []
    for i, part in enumerate(parts):
        offsets.append(len(out))
        out += b"%d 0 obj" % (i + 1) + part + b"endobj\n"
    at = len(out)
    out += b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % o for o in offsets)
    return out + b"trailer<</Size 6/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % at


def fixtures():
    """What the examples speak of, and whoever follows them has."""
    put("src/linux/fs/read_write.c",
        "/* page cache writeback */\nssize_t vfs_read(struct file *file)\n{\n\treturn file->read(file);\n}\n"
        "EXPORT_SYMBOL(vfs_read);\n\nint ksys_read(void)\n{\n\treturn vfs_read(0);\n}\n")
    put("notes/n.md", "how do I rotate the keys: point in time backup\n")
    put("Documents/letter.md", "a letter about keys\n")
    os.makedirs(MNT)
    bin_dir = HOME + "/bin"
    os.makedirs(bin_dir)
    os.symlink(os.path.realpath(RANKFS), bin_dir + "/rankfs")
    os.environ.update(HOME=HOME, PATH=f"{bin_dir}:{os.environ['PATH']}:/usr/sbin:/sbin")
    os.environ.pop("XDG_DATA_HOME", None)
    subprocess.run(["rankfs", MNT], check=True)
    put("rankfs/invoices/march.md", "invoice overdue\ninvoice overdue since march\n")
    put("rankfs/invoices/old.md", "an old one: the invoice of last year was overdue, and then paid\n")
    put("rankfs/invoices/bill.pdf", pdf("invoice: pay to IBAN DE02"))


def sh(command, where):
    r = subprocess.run(["timeout", "60", "bash", "-c", command], cwd=HOME, text=True,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    if r.returncode != 0:
        failures.append(f"{where}: status {r.returncode}: {command}\n{r.stdout}")
    return r.stdout


def run(command, where, shown=(), may_be_empty=False):
    """A command as a document shows it, without a comment behind it.

    One that reads something has to find something.
    """
    plain = re.sub(r"\s+# .*", "", command).strip()
    if plain in INSTEAD:
        INSTEAD_USED.add(plain)
        print(f"{where}: {plain}\n    run: {INSTEAD[plain][0]}\n    because {INSTEAD[plain][1]}")
        return sh(INSTEAD[plain][0], where)
    print(f"{where}: {plain}")
    end = time.time() + 30
    while True:
        out = sh(command, where)
        why = differs(out, shown)
        if re.match(r"(cat|ls|grep|rankfs (search|agents)) ", plain) and not may_be_empty:
            why = why or ("nothing was found" if not out or "# no hits:" in out else None)
        if not why:
            return out
        # "a few seconds after a copy": until then places may differ
        if time.time() > end:
            failures.append(f"{where}: {plain}: {why}\n{out}")
            return out
        time.sleep(0.2)


def pattern(line, first):
    """A shown line as a regular expression: other numbers, later places."""
    if re.match(r"/home/me/rankfs/\S+:\d+: ", line) and not first:
        line = re.sub(r"/rankfs/\S+?:\d+: \[", "/rankfs/@:9: [", line)
    elif line.startswith("    ") and not first:
        return r"    .*"
    p = re.escape(line.replace("/home/me", HOME))
    p = re.sub(r"\d+(\\\.\d+)?", r"\\d+(\\.\\d+)?", p) if line.startswith(("#", "/home")) else p
    return p.replace("@", r"\S+")


def differs(out, shown):
    """Why the output has another shape than the one that is shown, or None."""
    lines, at, hits = out.splitlines(), 0, 0
    for line in shown:
        if line == "...":
            continue
        hits += bool(re.match(r"/home/me/\S+:\d+: ", line))
        p = re.compile(pattern(line, hits < 2 and "/RelNotes/" not in line))
        while at < len(lines) and not p.fullmatch(lines[at]):
            at += 1
        if at == len(lines):
            return f"no line like {line!r}"
        at += 1
    return None


def exists(path, where):
    print(f"{where}: {path}")
    if not os.path.lexists(path):
        failures.append(f"{where}: there is no {path}")


def readme_row(line):
    """A row about a path: True if it was one."""
    m = re.match(r"(~/rankfs/\S+)(?: -> \S+)?\s{2,}(.*)", line) or re.match(r"(~/rankfs/\S+)(?: -> \S+)? (.*)", line)
    if not m:
        return False
    names = {"<text>/": "yak/", "<text>": "yak", "NAME": "overdue",
             "<question>": "rotate the signing keys every quarter"}
    path = re.match(r"~(/rankfs/[^ ]*(?:<[^>]*>)?\S*)", line)[1]
    for k, v in names.items():
        path = path.replace(k, v)
    if line.startswith("~/rankfs/NAME"):
        path = "/rankfs/linux"
    if line.startswith("~/rankfs/<your files>"):
        path = "/rankfs/ops.md"
    if "/recall/" in path:
        put("rankfs/cache/asked.md", "rotate the signing keys every quarter\n")
    exists(HOME + path, "README")
    if path == "/rankfs/.rankfs/":
        for name in m[2].split(";")[0].split(", "):
            exists(HOME + path + name.strip(), "README")
    return True


def is_room(line):
    """A row of the source tour about a folder, or how it goes on."""
    m = re.match(r"   ([a-z]+)/\s{2,}\S", line)
    if m and os.path.isdir(TREE + "/core"):
        print(f"README: {m[1]}/")
        if not any(os.path.isdir(f"{TREE}/{top}/{m[1]}") for top in ("core/index", "fs")):
            failures.append(f"README: there is no folder {m[1]}")
    return bool(m) or line.startswith(" " * 12)


def readme():
    text = open(TREE + "/README.md").read()
    command, shown = None, []

    def finish():
        nonlocal command, shown
        if command:
            run(command, "README", shown)
        command, shown = None, []

    for line in text.splitlines():
        if not line.startswith("    "):
            finish()
            for code in re.findall(r"`([^`]+)`", line):
                inline(code, "README")
            continue
        line = line[4:]
        if line.startswith("$ "):
            finish()
            command = line[2:]
        elif command:
            shown.append(line)
        elif line.startswith("make "):
            run(line, "README")
        elif is_room(line):
            continue
        elif not readme_row(line):
            failures.append(f"README: what is this line? {line!r}")
    finish()


LAST = []


def inline(code, where):
    if code in NAMED or not re.match(r"(rankfs|make|cp|cat|ls|ln|mkdir|echo|exec|mount|umount) ", code):
        return
    if code == "rankfs umount ~/rankfs":
        LAST.append(code)
    else:
        run(code, where)


def help_readme():
    """The page of help in the mount: commands, words of the language, rows."""
    where = ".rankfs/README"
    text = open(MNT + "/.rankfs/README").read()
    assert text == open(MNT + "/query/README").read()
    for line in text.splitlines():
        row = re.match(r"(\.rankfs/[^ ]+)(, status\.json)?\s{2,}", line)
        saved = re.match(r'(ln .*?)\s{2,}|\s+(ln DOCUMENT find/NAME/) ', line)
        if re.match(r"  (cp|cat) ", line):
            run(line.strip(), where)
        elif saved:
            run(saved[1] or saved[2], where)
        elif row:
            newest = sorted(os.listdir(MNT + "/.rankfs/at"), key=int)
            path = row[1].replace("<path>", "ops.md").replace("<name>", "vfs_read").replace("<prefix>", "inv")
            exists(f"{MNT}/{path.replace('<checkpoint>', newest[-1])}", where)
        elif line.startswith("  ") and line[2] != " ":
            for word in re.findall(r'"[^"]*"|\S+', line):
                run(f"cat {MNT}/query/'yak {word.replace('/regex/', '%2Fregex%2F')}'", where,
                    may_be_empty=True)


def agents():
    for code in re.findall(r"`([^`]+)`", open(MNT + "/.rankfs/AGENTS.md").read()):
        if re.match(r"(cat|ls|exec|mkdir|echo) ", code):
            run(code, "AGENTS.md")


def manuals():
    for page in ("rankfs.1", "rankfs.7", "rankfs.conf.5"):
        for line in open(f"{TREE}/fs/doc/{page}"):
            if line.startswith(".Dl "):
                run(line[4:].strip().replace(r"\(dq", '"').replace(r"\e", "\\"), page)


def usage():
    """Every command that --help lists is one; so is every option."""
    text = subprocess.run(["rankfs", "--help"], capture_output=True, text=True, check=True).stdout
    options, verbs = text.split("\ncommands:\n")
    for line in verbs.splitlines():
        verb = line.split()[0]
        print(f"--help: {verb}")
        r = subprocess.run(["rankfs", verb, "-b", HOME + "/nowhere"], capture_output=True, text=True,
                           stdin=subprocess.DEVNULL)
        if "no mount point given" in r.stderr or "mount point nowhere" in r.stderr:
            failures.append(f"--help: {verb} is no command")
    os.makedirs(HOME + "/m7")
    for n, option in enumerate(re.findall(r"^  -o (\S+)", options, re.M)):
        option = re.sub(r"=[A-Z]+", "=20", option)
        if option == "ro":
            run("rankfs ~/b-ro ~/m7 && rankfs umount ~/m7 && rankfs -o ro ~/b-ro ~/m7 && rankfs umount ~/m7", "--help")
        else:
            run(f"rankfs -o {option} ~/b-{n} ~/m7 && rankfs umount ~/m7", "--help")


def main():
    fixtures()
    try:
        readme()
        help_readme()
        agents()
        manuals()
        usage()
        for command in LAST:
            run(command, "README")
    finally:
        for m in ("search", "m7", "srv/search", "rankfs"):
            subprocess.run(["rankfs", "umount", f"{HOME}/{m}"], capture_output=True)
    for unused in set(INSTEAD) - INSTEAD_USED:
        failures.append(f"docs.py: nothing shows this any more: {unused}")
    print("\n".join(["", f"{len(failures)} failures"] + failures))
    sys.exit(bool(failures))


main()
