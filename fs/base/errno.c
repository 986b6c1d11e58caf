/* SPDX-License-Identifier: MIT */
#include "fs/base/errno.h"
#include <errno.h>

int fs_errno(int rc)
{
	switch (rc) {
	case RK_ECORRUPT:
		return EUCLEAN;
	case RK_EVERSION:
		return EPROTONOSUPPORT;
	case RK_ELOCKED:
		return EBUSY;
	case RK_ECANCELLED:
		return EINTR;
	case RK_ETOOBIG:
		return EFBIG;
	case RK_EREADONLY:
		return EROFS;
	default:
		return rc < 0 ? -rc : 0;
	}
}
