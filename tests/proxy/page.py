"""The configurations that docs/operating/proxy.md tells people to paste."""
import re

from server import ROOT

TEXT = (ROOT / "docs/operating/proxy.md").read_text()
BLOCKS = {(language, where): text for language, where, text in
          re.findall(r"^```(\w+) (\w+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)}
FENCES = TEXT.count("\n```") // 2
_used = set()


def block(language, where):
    """The block that opens with ```language where."""
    _used.add((language, where))
    return BLOCKS[language, where]


def unused():
    """What the page shows and nobody started; a block without a name is one of them."""
    nameless = FENCES - len(BLOCKS)
    return sorted(BLOCKS.keys() - _used) + [f"{nameless} without a name"] * bool(nameless)


def replaced(text, what, by):
    """Where the page no longer says `what`, the test would start something else: an error."""
    found, times = re.subn(what, by, text)
    if not times:
        raise ValueError(f"the configuration has no {what!r}:\n{text}")
    return found


def without(text, line):
    return replaced(text, rf"(?m)^\s*{line}\n", "")
