# SPDX-License-Identifier: MIT
"""Runs a command as on a kernel without IPv6: socket(AF_INET6, ...) says EAFNOSUPPORT.

    without_ipv6.py COMMAND [ARGUMENT]...

A seccomp filter of six instructions (seccomp(2), struct seccomp_data), which weft's own then joins.
"""
import ctypes
import errno
import os
import socket
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
SECCOMP_RET_ALLOW, SECCOMP_RET_ERRNO = 0x7fff0000, 0x00050000
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, FIRST_ARGUMENT = 0, 16  # offsets in struct seccomp_data, little-endian
SOCKET = {'x86_64': 41, 'aarch64': 198, 'riscv64': 198}[os.uname().machine]

FILTER = [(LOAD, 0, 0, NUMBER),
          (JUMP_IF_EQUAL, 0, 3, SOCKET),
          (LOAD, 0, 0, FIRST_ARGUMENT),
          (JUMP_IF_EQUAL, 0, 1, socket.AF_INET6),
          (RETURN, 0, 0, SECCOMP_RET_ERRNO | errno.EAFNOSUPPORT),
          (RETURN, 0, 0, SECCOMP_RET_ALLOW)]


def main():
    code = ctypes.create_string_buffer(b''.join(struct.pack('=HBBI', *line) for line in FILTER))
    program = struct.pack('@HP', len(FILTER), ctypes.addressof(code))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    if prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or \
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0):
        sys.exit(f'no filter: {os.strerror(ctypes.get_errno())}')
    try:
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        sys.exit('there is IPv6 all the same')
    except OSError as error:
        if error.errno != errno.EAFNOSUPPORT:
            raise
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == '__main__':
    main()
