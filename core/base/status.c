/* SPDX-License-Identifier: MIT */
#include "base/status.h"
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	int code;
	const char *text;
} STATUS[] = {
	{RK_ECORRUPT, "damaged data (checksum or structure does not hold)"},
	{RK_EVERSION, "written by a newer version of rankfs"},
	{RK_ELOCKED, "the index is in use by another process"},
	{RK_ECANCELLED, "cancelled"},
	{RK_ETOOBIG, "above the configured limit"},
	{RK_EREADONLY, "the index is open for reading only"},
};

static _Thread_local char newer[240];

int rk_newer(const char *what, uint64_t version, uint64_t features)
{
	if (features)
		snprintf(newer, sizeof(newer),
			 "written by a newer version of rankfs: %.60s needs "
			 "features %#llx, which this one does not know",
			 what, (unsigned long long)features);
	else
		snprintf(newer, sizeof(newer),
			 "written by a newer version of rankfs: %.60s is of "
			 "format %llu, which this one does not know",
			 what, (unsigned long long)version);
	return RK_EVERSION;
}

int rk_unreadable(int rc)
{
	return rc < 0 && rc > RK_ECORRUPT && rc != -ENOENT && rc != -ENOTDIR &&
	       rc != -EISDIR && rc != -ELOOP && rc != -ENXIO;
}

const char *rk_strerror(int code)
{
	if (code == RK_EVERSION && newer[0])
		return newer;
	for (size_t i = 0; i < sizeof(STATUS) / sizeof(STATUS[0]); i++)
		if (STATUS[i].code == code)
			return STATUS[i].text;
	return code < 0 ? strerrordesc_np(-code) : "success";
}
