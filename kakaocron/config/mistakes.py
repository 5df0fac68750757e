"""What people write that is not TOML: the cause, and the right form. Pure.

tomllib says where it gave up and on what; the line says why. No value is quoted: it may be secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from kakaocron.language.words import _

CURLY = "“”„‟‘’‚‛«»「」『』〝〞＂＇`´"
ODD_BLANKS = "\u00a0\u3000\u200b\u2009\u202f\ufeff"

LONGEST_LINE = 2000  # what is looked at of a line

_BARE = r"[A-Za-z0-9_-]+"
_QUOTED = r"\"[^\"\n]*\"|'[^'\n]*'"
_STRINGS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'')
_LEADING_ZERO = re.compile(r"(?<![\w.:+-])[+-]?0\d+(?![\d:_-])(?!\.\d*[:-])")
_OTHER_KEY = re.compile(rf"\s*(?:(?:{_BARE}|{_QUOTED})\s*\.\s*)*([^\s=\[\]{{}}\"'#.,:]+)\s*=")
_KEY_OF_WORDS = re.compile(r"\s*([^\s=\[\]{}\"'#.,:][^=\[\]{}\"'#.,:]*[^\s=\[\]{}\"'#.,:])\s*=")
_KEY_IN_BRACKETS = re.compile(r"[\[{,.]\s*([^\s=\[\]{}\"'#.,:]+)\s*(?=[=\].]|$)")


def mistake(text: str, line: int, column: int, what: str) -> str:
    """Say what is wrong at a place (both from 1) where tomllib said `what`, and how it is written
    rightly; "" where that is not known."""
    lines = text.split("\n")
    said = lines[line - 1][:LONGEST_LINE] if line <= len(lines) else ""
    place = _Place(said, said[:column], said[max(0, column - 1) : column], what)
    return next((words for rule in _RULES if (words := rule(place))), "")


class _Place:
    """A line, what of it was read, the character at which that ended, and tomllib's words."""

    def __init__(self, line: str, before: str, at: str, what: str) -> None:
        self.line, self.before, self.at, self.what = line, before, at, what
        # The line without what stands in texts and comments.
        self.bare = _STRINGS.sub('""', line).split("#")[0]
        unclosed = re.search(r"(?<!\")\"[^\"]*$", self.bare)
        if unclosed and self.bare.rstrip()[-1:] not in CURLY:
            self.bare = self.bare[: unclosed.start()]


def _conflict(place: _Place) -> str:
    if re.match(r"(<{7}|={7}|>{7})(\s|$)", place.line):
        return _(
            "a merge was left unfinished: take the lines with <<<<<<<, ======= and >>>>>>> out"
        )
    return ""


def _twice(place: _Place) -> str:
    if place.what == "Cannot overwrite a value":
        return _("this key stands twice in its table: take one of the two lines out")
    if place.what.startswith("Cannot declare") and place.what.endswith("twice"):
        return _("this table stands twice: put its keys under the first one")
    return ""


def _carriage_return(place: _Place) -> str:
    if "\r" in place.line.removesuffix("\r"):
        return _("the lines end as on an old Mac: save the file with line ends of Unix or Windows")
    return ""


def _odd_signs(place: _Place) -> str:
    is_unread = place.what not in {"Unescaped '\\' in a string", "Invalid hex value"}
    if is_unread and any(sign in place.bare for sign in CURLY):
        return _('curly quotes: texts stand in straight ones, as in text = "…"')
    if place.at == "＝" or "＝" in place.bare.partition('""')[0]:
        return _("a wide equals sign (＝): write =")
    if any(sign in place.bare for sign in ODD_BLANKS):
        return _("a blank that is none of the keyboard's, as from a web page: type the line again")
    return ""


def _escape(place: _Place) -> str:
    if place.what in {"Unescaped '\\' in a string", "Invalid hex value"}:
        return _(
            'a backslash in "…" begins an escape: write it twice, as in "C:\\\\reports", or put '
            "the text in single quotes, as in 'C:\\reports'"
        )
    return ""


def _text_over_lines(place: _Place) -> str:
    if place.what.startswith(("Unterminated", "Expected \"'''")) and (
        '"""' in place.line or "'''" in place.line
    ):
        return _("the text that begins here has no end: close it with the same three quotes")
    if place.what.endswith(("character '\\n'", "Unterminated string")) and '"""' not in place.line:
        return _(
            'a text in quotes ends on its own line: write \\n for a line break, as in "a\\nb", or '
            'put the lines between """ and """'
        )
    return ""


def _comment(place: _Place) -> str:
    if re.match(r"\s*(//|--|;|/\*|')", place.line) or re.search(r"\s(//|;|--)(\s|$)", place.bare):
        return _("comments begin with #")
    return ""


def _phone(place: _Place) -> str:
    if re.search(r"(?<![\w.:+-])\+?0\d{1,2}-?\d{3,4}-?\d{4}\b", place.bare):
        return _('a phone number is a text: it stands in quotes, as in "010-1234-5678"')
    return ""


def _leading_zero(place: _Place) -> str:
    if place.at == ",":
        return ""
    after = place.bare.partition("=")[2] if "=" in place.bare else place.bare
    if re.search(r"(?<![\d.])\.\d|\d\.(?![\d.])", after):
        return _("a number has digits on both sides of its point: write 0.5 for .5, and 5.0 for 5.")
    if _LEADING_ZERO.search(after):
        return _("a number begins with 0: write 5 for 05, and 0 for 00")
    return ""


def _time(place: _Place) -> str:
    if re.search(r"[=,\[]\s*\d{1,2}:\d{2}\b", place.bare):
        return _('a time is a text: it stands in quotes, as in "09:30"')
    return ""


def _colon(place: _Place) -> str:
    if re.match(rf"\s*(?:{_BARE}|{_QUOTED}|[^\s=:\"']+)\s*:", place.line) and (
        place.what.startswith(("Expected '='", "Invalid statement"))
    ):
        return _("a value follows =, not a colon: write key = value")
    return ""


def _other_key(place: _Place) -> str:
    if not place.what.startswith(
        ("Invalid statement", "Expected '='", "Invalid initial", "Expected ']")
    ):
        return ""
    for pattern in (_OTHER_KEY, _KEY_OF_WORDS):
        found = pattern.match(place.line)
        if found and not re.fullmatch(_BARE, found[1]) and "==" not in place.line:
            return _quote_it(found[1], " =")
    for found in _KEY_IN_BRACKETS.finditer(place.line):
        if not re.fullmatch(_BARE, found[1]) and not found[1].isascii():
            return _quote_it(found[1], "")
    return ""


def _quote_it(key: str, end: str) -> str:
    if len(key) > 40 or not key.isprintable():  # noqa: PLR2004 - it would be no name
        key = "…"
    said = _("a key with anything but A to Z, a to z, digits, - and _ stands in quotes: {form}")
    return said.format(form=f'"{key}"{end}{" …" if end else ""}')


def _no_equals(place: _Place) -> str:
    if place.what.startswith("Expected '='") or (
        place.what == "Invalid statement" and "=" not in place.bare
    ):
        return _("a line is key = value, [table] or # comment; this one is none")
    return ""


def _bare_word(place: _Place) -> str:
    if place.what != "Invalid value":
        return ""
    word = re.match(r"\w*", place.line[len(place.before) - 1 :])
    if word and word[0].lower() in {"true", "false", "yes", "no", "on", "off"}:
        return _("write true or false, in small letters and without quotes")
    if re.search(r"=\s*$", place.bare.rstrip("\r")):
        return _("there is no value after =")
    return _("is it a text? Texts stand in quotes")


def _list(place: _Place) -> str:
    if place.what == "Unclosed array":
        return _(
            'the values of a list are parted by commas and end with ], as in [0, 30] or ["a", "b"]'
        )
    return ""


def _inline_table(place: _Place) -> str:
    if place.what == "Invalid initial character for a key part" and "{" in place.line:
        return _("a table in { } stands on one line, without a comma before the }")
    return ""


def _after_the_value(place: _Place) -> str:
    if not place.what.startswith("Expected newline"):
        return ""
    if re.match(r"\s*\[", place.line):
        return _("nothing stands behind a [table] on its line: put the key on the next one")
    rest = place.line[len(place.before) - 1 :].strip()
    if rest.startswith(","):
        is_number = re.match(r",\d", rest)
        return _("a number has no commas: write 1000") if is_number else _("no comma ends a line")
    if re.search(r"[\"']\s*$", place.before[:-1]) and re.match(r"[^\s#,;]", rest):
        return _(
            'a quote inside a text would end it: write \\" for it, or put the text in quotes of '
            "the other kind"
        )
    return _(
        "what follows is no part of the value: a number stands alone, a text in quotes, and a "
        "comment begins with #"
    )


_RULES: tuple[Callable[[_Place], str], ...] = (
    _conflict,
    _twice,
    _carriage_return,
    _escape,
    _odd_signs,
    _text_over_lines,
    _comment,
    _colon,
    _other_key,
    _phone,
    _leading_zero,
    _time,
    _list,
    _inline_table,
    _no_equals,
    _bare_word,
    _after_the_value,
)
