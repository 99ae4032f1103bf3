/* SPDX-License-Identifier: MIT */
/*
 * The kernel's switches that no other call of the kernel's turns.
 */
#ifndef CLI_SYSCTL_H
#define CLI_SYSCTL_H

/**
 * Writes a value, such as "0" to "net/ipv6/conf/weft0/accept_ra". Returns 0 or -Exxx; -ENOENT
 * where there is no such switch, -ENOTSUP on a system that has none.
 */
int sysctl_write(const char *path, const char *value) __attribute__((warn_unused_result));

#endif
