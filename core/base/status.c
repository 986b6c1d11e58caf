/* SPDX-License-Identifier: MIT */
#include "base/status.h"
#include <stddef.h>
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

const char *rk_strerror(int code)
{
	for (size_t i = 0; i < sizeof(STATUS) / sizeof(STATUS[0]); i++)
		if (STATUS[i].code == code)
			return STATUS[i].text;
	return code < 0 ? strerrordesc_np(-code) : "success";
}
