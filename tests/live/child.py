# SPDX-License-Identifier: BSD-2-Clause
"""Programs that must not outlive this one, however it ends.

Each gets a process group of its own. It is killed when Python ends (also after Ctrl-C and SIGTERM), and by the kernel when
Python is killed itself.
"""

import atexit
import ctypes
import os
import signal
import subprocess
import sys
import weakref

_PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec is no place for it.
_LIBC = ctypes.CDLL(None, use_errno=True)
_CHILDREN = weakref.WeakSet()


def start(command, **options):
    """As subprocess.Popen. The kernel ties the child to the thread that calls this, so call it from the main one."""
    parent = os.getpid()

    def before_exec():
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            # Too late for the kernel to tell.
            os._exit(1)

    child = subprocess.Popen(command, start_new_session=True, preexec_fn=before_exec, **options)
    _CHILDREN.add(child)
    return child


def tell(child, number):
    """A signal to the child and all that it started."""
    if child.poll() is None:
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            pass


def end(child):
    """Kills it if it still runs, frozen or not, and waits until it is gone."""
    tell(child, signal.SIGKILL)
    child.wait()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream:
            try:
                stream.close()
            except BrokenPipeError:
                pass


@atexit.register
def _end_all():
    for child in list(_CHILDREN):
        end(child)


def die_politely():
    """SIGTERM and SIGHUP end Python the orderly way, as Ctrl-C does, so that what is above runs."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda got, frame: sys.exit(128 + got))
