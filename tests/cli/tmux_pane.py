# SPDX-License-Identifier: BSD-2-Clause
"""A real terminal for programs to draw on, and a look at its screen: one pane of a tmux of its own, with a shell in it."""
import os
import shutil
import subprocess
import tempfile
import time

SECONDS = 120  # a program that hangs is an error, not a slow machine
PROMPT = "$"


def missing():
    """Why there is no terminal here, or None."""
    return None if shutil.which("tmux") else "there is no tmux here (apt-get install tmux)"


class Pane:
    """with Pane(100, 24) as pane: pane.type("ls"); pane.wait(lambda screen: ...)."""

    def __init__(self, columns, rows, **env):
        self.folder = tempfile.mkdtemp(prefix="kloop-tmux-")
        self.columns, self.rows = columns, rows
        self.env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "KLOOP_CONFIG": "", "PS1": PROMPT + " ", "HOME": self.folder,
                    **env}

    def tmux(self, *words):
        return subprocess.run(["tmux", "-u", "-S", os.path.join(self.folder, "socket"), "-f", "/dev/null", *words], check=True,
                              stdout=subprocess.PIPE, env={**self.env, "TERM": "xterm-256color"}, timeout=SECONDS).stdout.decode()

    def __enter__(self):
        # TERM is tmux's to set, unless the test says otherwise.
        settings = [f"{name}={value}" for name, value in self.env.items()]
        self.tmux("new-session", "-d", "-x", str(self.columns), "-y", str(self.rows), "env", *settings, "sh")
        self.tmux("set-option", "-g", "window-size", "manual")
        self.tmux("set-option", "-g", "status", "off")
        self.resize(self.columns)
        self.wait(lambda screen: screen == [PROMPT])
        return self

    def __exit__(self, *_):
        self.tmux("kill-server")
        shutil.rmtree(self.folder)

    def resize(self, columns):
        self.columns = columns
        self.tmux("resize-window", "-x", str(columns), "-y", str(self.rows))

    def type(self, line):
        """The prompt that is there now is not taken for the one behind what the line does."""
        self.tmux("send-keys", "-l", line)
        self.wait(lambda screen: screen[-1].endswith(line))
        self.press("Enter")

    def press(self, *keys):
        self.tmux("send-keys", *keys)

    def screen(self, escapes=False, joined=True):
        """Its lines without the empty ones at the end; joined: those put together that the terminal broke."""
        flags = ["-J"] * joined + ["-e"] * escapes
        lines = [line.rstrip() for line in self.tmux("capture-pane", "-p", *flags).split("\n")]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def wait(self, holds, **how):
        """The first screen of which that holds."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            screen = self.screen(**how)
            if screen and holds(screen):
                return screen
        raise AssertionError("what was waited for did not show:\n" + "\n".join(self.screen(**how)))

    def wait_prompt(self):
        """The screen when the program has ended and the shell is back."""
        return self.wait(lambda screen: screen[-1] == PROMPT)
