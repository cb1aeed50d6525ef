"""python offline.py command ...: runs a command whose process, and whose children, die when they ask for a network.

The kernel kills with SIGSYS whoever makes a socket of the Internet families (seccomp); sockets within the machine
(AF_UNIX) stay. Linux on x86-64 and 64-bit ARM. Exit code 77: the kernel does not allow this.
"""

import ctypes
import os
import platform
import socket
import struct
import sys

FORBIDDEN = 77
_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}  # audit's name of the machine, number of socket()
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _KILL = 0x7FFF0000, 0x80000000


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def cut_off() -> bool:
    """Take the network from this process for good; False: the kernel does not allow it."""
    if platform.machine() not in _CALLS:
        return False
    machine, number = _CALLS[platform.machine()]
    steps = (
        (_LOAD, 0, 0, 4),  # the machine
        (_EQUAL, 0, 5, machine),  # a call of another machine's numbering: killed
        (_LOAD, 0, 0, 0),  # the call
        (_EQUAL, 0, 4, number),  # not socket(): allowed
        (_LOAD, 0, 0, 16),  # its family
        (_EQUAL, 1, 0, socket.AF_INET),
        (_EQUAL, 0, 1, socket.AF_INET6),
        (_RETURN, 0, 0, _KILL),
        (_RETURN, 0, 0, _ALLOW),
    )
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    library = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(steps), code)
    return library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 and (
        library.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0
    )


if __name__ == "__main__":
    if not cut_off():
        sys.exit(FORBIDDEN)
    os.execvp(sys.argv[1], sys.argv[1:])
