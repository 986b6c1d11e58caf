/* SPDX-License-Identifier: MIT */
/*
 * What the daemon gives up once it is mounted, so that a mistake in it, or in
 * a program that reads documents for it, can do less. As root: capabilities
 * that serving files does not take, system calls that it never makes, and for
 * its children set-user-id programs. Somebody else keeps the right to run one
 * program, fusermount3, to unmount at the end; his helpers do not (child.c).
 */
#include "fs/mount/privileges.h"
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const int NEEDED[] = {
	CAP_CHOWN,	  /* new files belong to the caller */
	CAP_DAC_OVERRIDE, /* every document is stored and indexed */
	CAP_DAC_READ_SEARCH,
	CAP_FOWNER,
	CAP_FSETID,
	CAP_LINUX_IMMUTABLE, /* chattr +i by who may (flags.c) */
	CAP_MKNOD,
	CAP_SYS_ADMIN,	/* unmount, notifications of whole
			   file systems */
	CAP_SYS_PTRACE, /* which system call a caller is in (caller.c) */
	/* helper programs run as the owner of the index, and have limits */
	CAP_SETUID,
	CAP_SETGID,
	CAP_KILL,
	CAP_SYS_RESOURCE,
};

static uint64_t needed_mask(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < sizeof(NEEDED) / sizeof(NEEDED[0]); i++)
		mask |= 1ull << NEEDED[i];
	return mask;
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2];
	uint64_t keep = needed_mask();

	for (int c = 0; c < 64; c++)
		if (!(keep >> c & 1) && prctl(PR_CAPBSET_READ, c) == 1)
			prctl(PR_CAPBSET_DROP, c);
	if (syscall(SYS_capget, &h, d) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		d[i].permitted &= (uint32_t)(keep >> 32 * i);
		d[i].effective &= (uint32_t)(keep >> 32 * i);
		d[i].inheritable = 0;
	}
	return syscall(SYS_capset, &h, d) < 0 ? -errno : 0;
}

/* Calls that neither the daemon nor its helpers have a use for. */
static const unsigned REFUSED[] = {
#ifndef __SANITIZE_ADDRESS__ /* which looks for leaks by it */
	SYS_ptrace,
#endif
	SYS_process_vm_writev,
	SYS_kexec_load,
	SYS_init_module,
	SYS_finit_module,
	SYS_delete_module,
	SYS_bpf,
	SYS_perf_event_open,
	SYS_keyctl,
	SYS_add_key,
	SYS_request_key,
	SYS_mount,
	SYS_pivot_root,
	SYS_chroot,
	SYS_swapon,
	SYS_swapoff,
	SYS_reboot,
	SYS_setns,
	SYS_unshare,
	SYS_userfaultfd,
	SYS_io_uring_setup,
	SYS_settimeofday,
	SYS_clock_settime,
	SYS_sethostname,
	SYS_acct,
	SYS_quotactl,
};
enum { NREFUSED = sizeof(REFUSED) / sizeof(REFUSED[0]) };

static int refuse_calls(void)
{
	struct sock_filter f[NREFUSED + 4];
	struct sock_fprog prog = {.len = NREFUSED + 4, .filter = f};
	size_t n = 0;

	f[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < NREFUSED; i++, n++)
		f[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						    REFUSED[i],
						    (uint8_t)(NREFUSED - i), 0);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					      SECCOMP_RET_ALLOW);
	f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					      SECCOMP_RET_ERRNO | EPERM);
	prog.len = (unsigned short)n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_TSYNC, &prog) < 0
		       ? -errno
		       : 0;
}

/* A kernel without one of these mounts all the same. */
void fs_drop_capabilities(void)
{
	if (geteuid() == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		drop_capabilities();
}

void fs_refuse_calls(void)
{
	if (geteuid() == 0)
		refuse_calls();
}
