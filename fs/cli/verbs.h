/* SPDX-License-Identifier: MIT */
#ifndef FS_VERBS_H
#define FS_VERBS_H

/*
 * Commands that need no mount: `rankfs search ...`. Returns the exit status
 * (0 yes, 1 no or failed, 2 wrong use), or -1 if argv[1] is no command.
 */
int fs_verb(int argc, char **argv);
void fs_usage(void);
void fs_version(void);

#endif
