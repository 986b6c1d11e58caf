/* SPDX-License-Identifier: MIT */
#ifndef TESTS_UNIT_IDLE_H
#define TESTS_UNIT_IDLE_H

#include "rankfs.h"
#include <unistd.h>

/* Until nothing is pending and nothing is being compared. */
static inline void t_wait_idle(struct rk_index *ix)
{
	struct rk_status st = {.size = sizeof(st)};

	do {
		usleep(300); /* a condition, polled */
		rk_status(ix, &st);
	} while (st.reconciling || st.pending);
}

#endif
