# rankfs, a search engine that you mount.
# rankfs: `make help` lists the targets.
CC      ?= gcc
V       ?= 0
SAN     ?=
# asserts stay in; OPT='-O2 -g -DNDEBUG' leaves them out (core/doc/performance.md)
OPT     ?= -O2 -g

# msgpack-c by its package where that is installed, else by what scripts/deps
# has unpacked: Debian 12's libmsgpack-dev brings 157 MB of Boost for C++. All
# that is used of it is in the headers.
MSGPACK := $(shell pkg-config --exists msgpack-c 2>/dev/null && echo msgpack-c || \
           { pkg-config --exists msgpack 2>/dev/null && echo msgpack; })
# what the library links with, then what is headers alone or the program's
PKGLIB  := libcurl libarchive libutf8proc jansson libzstd zlib libcmark libpcre2-8 icu-uc
PKG     := $(MSGPACK) fuse3 $(PKGLIB) libcrypto libxxhash
MSGPACKH := $(if $(MSGPACK),,build/msgpack/usr/include/msgpack.h)
# headers of packages that are not there yet: no flags, and no noise of make's
PKGC    := $(patsubst -I%,-isystem%,$(shell pkg-config --cflags $(PKG) 2>/dev/null)) \
           $(if $(MSGPACK),,-isystem build/msgpack/usr/include)
# OpenBLAS by its name at run time: its development package is 55 MB of static
# library, and cblas.h is in libblas-dev as well
NOPKG   := -l:libopenblas.so.0 -lstemmer -lpthread -lm
PKGL    := $(shell pkg-config --libs $(PKG) 2>/dev/null) $(NOPKG)
WARN    := -Wall -Wextra -Wshadow -Wvla -Wundef -Wconversion -Wcast-qual \
           -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wswitch-enum \
           -Wimplicit-fallthrough -Wdouble-promotion -Wnull-dereference \
           -fno-common -fvisibility=hidden -Werror
# code that a shared library can hold, too; calls inside stay direct
PIC     := -fPIC -fno-semantic-interposition
comma   := ,
SANFLAG := $(if $(filter asan,$(SAN)),-fsanitize=address$(comma)undefined -static-libubsan -fno-sanitize-recover=all -fno-omit-frame-pointer) \
           $(if $(filter tsan,$(SAN)),-fsanitize=thread) \
           $(if $(filter fuzz,$(SAN)),-fsanitize=address$(comma)undefined$(comma)fuzzer-no-link -fno-sanitize-recover=all \
             -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION)
VERSION := 0.1.0
# of the library: counted up when a program that was built before would break
SOMAJOR := 0
CFLAGS  := -std=gnu11 -D_GNU_SOURCE -DRK_VERSION='"$(VERSION)"' $(OPT) $(PIC) $(WARN) $(SANFLAG) \
           -I. -Icore $(PKGC)
# Objects live in a folder named by the flags: switching to a sanitizer or to
# clang needs no clean.
HASH    := $(shell echo '$(CC) $(CFLAGS)' | cksum | cut -d' ' -f1)
O       := build/$(HASH)
Q       := $(if $(filter 1,$(V)),,@)

CORE    := $(sort $(shell find core -name '*.c'))
FS      := $(sort $(shell find fs -name '*.c'))
COREO   := $(CORE:%.c=$(O)/%.o)
FSO     := $(FS:%.c=$(O)/%.o)
UNIT    := $(sort $(wildcard tests/unit/*_test.c) $(wildcard tests/crash/*_test.c) \
           $(wildcard tests/fault/*_test.c) $(wildcard tests/model/*_test.c) \
           $(wildcard tests/damage/*_test.c))
UNITP   := $(UNIT:%.c=$(O)/%)
FUZZ    := $(sort $(wildcard tests/fuzz/*_fuzz.c))
REPLAY  := $(FUZZ:%_fuzz.c=$(O)/%_replay)
CONFORM := $(O)/tests/conformance/differ

.SECONDARY:
.PHONY: all
all: build/rankfs build/librankfs.a ## build the program and the core library

# always: the link may point into another flavour's folder
.PHONY: build/rankfs build/librankfs.a
build/rankfs: $(O)/rankfs
	$(Q)mkdir -p build && ln -sf $(HASH)/rankfs $@
build/librankfs.a: $(O)/librankfs.a
	$(Q)ln -sf $(HASH)/librankfs.a $@

build/msgpack/usr/include/msgpack.h:
	@scripts/deps build

$(O)/rankfs: $(FSO) $(O)/librankfs.a
	@echo "  LD    $@"
	$(Q)$(CC) $(SANFLAG) -Wl,--as-needed -o $@ $(FSO) $(O)/librankfs.a $(PKGL)
$(O)/librankfs.a: $(COREO)
	@echo "  AR    $@"
	$(Q)rm -f $@ && ar rcs $@ $(COREO)
# For those who embed it: only what rankfs.h declares is visible (-fvisibility).
SO      := $(O)/librankfs.so.$(VERSION)
$(SO): $(COREO) scripts/packaging/rankfs.map
	@echo "  LD    $@"
	$(Q)$(CC) -shared $(SANFLAG) -Wl,-soname,librankfs.so.$(SOMAJOR),-z,defs,-Bsymbolic,--as-needed \
		-Wl,--version-script=scripts/packaging/rankfs.map -o $@ $(COREO) $(PKGL)
# one object whose other symbols are local, so that none can clash
$(O)/public/librankfs.a: $(COREO)
	@echo "  AR    $@"
	$(Q)mkdir -p $(@D) && rm -f $@ && $(LD) -r -o $(@D)/rankfs.o $(COREO) && \
		objcopy --localize-hidden $(@D)/rankfs.o && ar rcs $@ $(@D)/rankfs.o
$(O)/public/rankfs.h: core/rankfs.h core/base/public.h
	$(Q)mkdir -p $(@D) && sed -e '/^#include "base\/public.h"/{r core/base/public.h' -e 'd}' $< >$@
$(O)/%.o: %.c Makefile | $(MSGPACKH)
	@echo "  CC    $<"
	$(Q)mkdir -p $(@D) && $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<
$(O)/tests/%_test.o: CFLAGS += -Itests
$(O)/tests/%_test: $(O)/tests/%_test.o $(O)/librankfs.a
	@echo "  LD    $@"
	$(Q)$(CC) $(SANFLAG) -o $@ $< $(O)/librankfs.a $(PKGL)

$(CONFORM).o: CFLAGS += -Itests
$(CONFORM): $(CONFORM).o
	@echo "  LD    $@"
	$(Q)$(CC) $(SANFLAG) -o $@ $<

$(O)/tests/fuzz/%.o: CFLAGS += -Itests
$(O)/tests/fuzz/%_replay: $(O)/tests/fuzz/%_fuzz.o $(O)/tests/fuzz/replay.o $(O)/librankfs.a
	@echo "  LD    $@"
	$(Q)$(CC) $(SANFLAG) -o $@ $^ $(PKGL)

.PHONY: unit-programs
unit-programs: $(UNITP) $(REPLAY) $(CONFORM)
	@echo $(O) >build/.unit$(if $(SAN),-$(SAN))

MNT     ?= $(HOME)/rankfs
BACKING ?= $(or $(XDG_DATA_HOME),$(HOME)/.local/share)/rankfs
.PHONY: deps extractors mount test lint fuzz torture bench eval install deb libraries clean help
deps: ## install what building and running need (Debian)
	@scripts/deps run build

extractors: ## install programs that read PDF, office files, archives, source
	@scripts/deps extractors

mount: ## install what is missing, build, mount BACKING on MNT
	@MAKE="$(MAKE)" scripts/quickstart "$(BACKING)" "$(MNT)"

test: ## install what tests need too, build, run every test
	@scripts/deps run build test
	@scripts/test

lint: ## clang-format, clang-tidy, cppcheck, shellcheck, layers
	@scripts/deps run build test
	@scripts/lint

fuzz: ## libFuzzer on every target, SECONDS_EACH=60
	@scripts/deps run build test
	@scripts/fuzz

torture: ## crash, fault, damage, kill, fuzz, stress, bare: full size, hours
	@scripts/deps run build test
	@$(MAKE) --no-print-directory all unit-programs
	@scripts/torture

bench: ## speed and memory beside the peers, in one run
	@scripts/deps run build test
	@$(MAKE) --no-print-directory all
	@scripts/bench

COLLECTIONS ?=
eval: ## nDCG@10, Recall@100, MRR@10: make eval COLLECTIONS="DIR..."
	@$(MAKE) --no-print-directory all
	@python3 tests/eval/evaluate.py build/rankfs $(COLLECTIONS)

PREFIX  ?= /usr/local
D       := $(DESTDIR)$(PREFIX)
install: all $(SO) $(O)/public/librankfs.a $(O)/public/rankfs.h ## install the program, its manual pages, the library
	install -D -m 755 $(O)/rankfs $D/bin/rankfs
	install -D -m 644 fs/doc/rankfs.1 $D/share/man/man1/rankfs.1
	install -D -m 644 fs/doc/rankfs.conf.5 $D/share/man/man5/rankfs.conf.5
	install -D -m 644 fs/doc/rankfs.7 $D/share/man/man7/rankfs.7
	install -D -m 644 scripts/packaging/rankfs.bash $D/share/bash-completion/completions/rankfs
	mkdir -p $D/sbin $D/lib/systemd/user
	sed 's|@BINDIR@|$(PREFIX)/bin|' scripts/packaging/rankfs.service >$D/lib/systemd/user/rankfs.service
	ln -sf ../bin/rankfs $D/sbin/mount.rankfs
	install -D -m 644 $(SO) $D/lib/librankfs.so.$(VERSION)
	ln -sf librankfs.so.$(VERSION) $D/lib/librankfs.so.$(SOMAJOR)
	ln -sf librankfs.so.$(SOMAJOR) $D/lib/librankfs.so
	install -m 644 $(O)/public/librankfs.a $D/lib/librankfs.a
	install -D -m 644 $(O)/public/rankfs.h $D/include/rankfs.h
	mkdir -p $D/lib/pkgconfig
	sed 's|@PREFIX@|$(PREFIX)|; s|@VERSION@|$(VERSION)|; s|@LIBS@|$(shell pkg-config --libs $(PKGLIB) 2>/dev/null) $(NOPKG)|' \
		scripts/packaging/rankfs.pc >$D/lib/pkgconfig/rankfs.pc

deb: ## a Debian package in build/
	@scripts/deps run build package
	@$(MAKE) --no-print-directory all
	@scripts/packaging/deb $(VERSION)

# what scripts link with
libraries:
	@echo $(PKGL)

clean: ## remove what was built
	find build -mindepth 1 -maxdepth 1 ! -name msgpack -exec rm -rf {} +

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 12

-include $(COREO:.o=.d) $(FSO:.o=.d) $(UNITP:%=%.d) $(CONFORM).d $(REPLAY:%_replay=%_fuzz.d)
