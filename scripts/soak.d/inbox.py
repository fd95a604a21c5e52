"""What the lists of a task ask for, worked out from their contents alone by the contract's rules.

    a list begins with what was loaded under its path   only the rest is loaded
    it does not (replaced, truncated)                    a new list, all lines
    it was loaded under a path that is gone              the same list, renamed
    otherwise                                            a new list, all lines
"""

import re
import urllib.parse
from collections import Counter

BAD_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class Known:
    """A list as the program must remember it."""

    def __init__(self, path):
        self.path, self.loaded, self.current = path, b"", True


class Inbox:
    """Follows a folder of lists from one completed intake to the next."""

    def __init__(self):
        self.lists = []
        self.requests = Counter()  # by name
        self.rejected = Counter()  # by reason

    def take_in(self, files):
        """An intake that saw these files: path -> content."""
        for path in sorted(files):
            self._load(path, files[path], files)

    def _load(self, path, content, files):
        known = next((k for k in self.lists if k.current and k.path == path), None)
        if known is None or not content.startswith(known.loaded):
            gone = [k for k in self.lists if k.path not in files and k.loaded
                    and content.startswith(k.loaded)]
            if known:
                known.current = False
            known = max(gone, key=lambda k: len(k.loaded), default=None)
            if known is None:
                known = Known(path)
                self.lists.append(known)
            known.path, known.current = path, True
        self._count(path, content[len(known.loaded):], not known.loaded)
        known.loaded = content

    def _count(self, path, new, is_first):
        if is_first:
            new = new.removeprefix(b"\xef\xbb\xbf")
        lines = new.split(b"\n")
        for line in lines if lines[-1] else lines[:-1]:
            name, reason = read(line.removesuffix(b"\r"), path.endswith(".url.txt"))
            if reason:
                self.rejected[reason] += 1
            elif name:
                self.requests[name] += 1


def read(line, encoded):
    """Name and reason of rejection of one line; neither if it is blank."""
    if encoded:
        if BAD_PERCENT.search(line):
            return None, "bad_percent_encoding"
        line = urllib.parse.unquote_to_bytes(line)
    if not line:
        return None, None
    if len(line) > 1024:
        return None, "too_long"
    try:
        name = line.decode()
    except UnicodeDecodeError:
        return None, "not_utf8"
    if "\0" in name:
        return None, "nul"
    if {".", ".."} & set(name.split("/")):
        return None, "dot_segment"
    if name.startswith("oms/sync_task/"):
        return None, "reserved_prefix"
    return name, None
