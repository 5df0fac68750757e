"""Causes in words: one code, one English sentence. The one place where they are made. Pure.

What a channel adds to these codes is in its own folder.
"""

from __future__ import annotations

from collections.abc import Mapping

from kakaocron.errors import SEE_DOCTOR, UPGRADE, Cause, ContentError, UsageError
from kakaocron.language.words import _

Templates = Mapping[str, str]
Facts = Mapping[str, str | int | float]

# The codes are part of the ledger's format: never reworded, only added to. Facts that are words
# come from outside: a program's, a server's, the user's own.
TEMPLATES: Templates = {
    "said": "{words}",
    "no-alimtalk": "alimtalk needs the table [alimtalk] in config.toml",
    "other-content": "this content is not for '{receiver}': a template of 알림톡 goes to phone "
    "numbers, everything else to KakaoTalk",
    # No connection: nothing was sent.
    "dns": "DNS: the server's name cannot be looked up",
    "tls": "TLS: no trusted connection to the server",
    "connect-timeout": "connecting took too long",
    "no-connection": "no connection",
    "no-connection-because": "no connection: {error}",
    "bad-address": "the server's address cannot be read",
    "closes-at-once": "the server closes every connection, or talks before it is asked",
    "proxy-kind": "{name} names a proxy of the kind '{scheme}://'. Only HTTP proxies can be used: "
    "most that speak it too are given as http://HOST:PORT",
    "bad-proxy": "{name} cannot be read. Write it as http://HOST:PORT",
    "bad-certificates": "{name}: cannot read '{path}' ({error})",
    "no-certificates": "no certificates",
    "proxy-refuses": "the proxy {proxy} gives no way to the server: HTTP {status}",
    # The request left, and no answer that proves anything came.
    "no-answer": "no answer in time",
    "cut": "the connection was cut before the answer",
    "endless-line": "a line of the answer has no end",
    "broke-off": "the answer broke off",
    "two-answers": "more than one answer came",
    "other-protocol": "the server changed to another protocol unasked",
    "only-interim": "only interim answers came",
    "not-http": "what came is no HTTP/1.1 answer",
    "bad-header": "a header of the answer cannot be read",
    "many-headers": "the answer has more than {most} headers",
    "unclear-length": "the answer tells its length in two ways, or in an unknown one",
    "bad-length": "the Content-Length of the answer cannot be read",
    "bad-chunk-end": "a chunk of the answer does not end where it should",
    "bad-chunk-size": "a chunk of the answer has no size",
    "odd-coding": "the answer is in a coding that was not asked for",
    "no-gzip": "the answer is not gzip, as it says",
    "bad-gzip": "the gzip of the answer broke off, or more follows it",
    "long-answer": "the answer is longer than {most} bytes",
    "http": "HTTP {status}",
    # The request was not let go.
    "no-claim": "it has no claim",
    "claim-gone": "the ledger does not show this process's claim",
    "claim-unasked": "the database did not say whether the claim still stands",
    "told-to-end": "the process was told to end before it left",
    "set-back": "the clock was set back before the slot",
    "slot-over": "the slot's time ran out before the request could leave",
    "claim-over": "the claim's time ran out before the request could leave",
    "key-over": "the key's time ran out before the request could leave once more",
    "no-look-up-key": "there is no key by which it could be looked up",
    "given-up": "the attempt was given up",
    "given-up-before": "gave up before it left",
    "given-up-waiting": "gave up waiting",
    # A channel that was asked afterwards.
    "no-receipt": "in {days} days nobody has said whether it was delivered",
    "look-up-failed": "What became of the messages cannot be looked up: {error}",
    # The content cannot be made.
    "not-made": "it could not be made: {error}",
    "making-too-late": "its content was not ready in time",
    "making-too-long": "making the content took too long",
    "bad-copy": "the ledger's copy of the content cannot be read",
    "no-message": "the configuration has no message '{message}' any more",
    "many-parts": "{text}the text has {units} characters, which is more than {most} parts",
    "long-character": "one character of the text is longer than a whole message may be",
    "bad-name": "'{{{name}}}' is not a plain name",
    "no-value": "no value for '{{{name}}}'; there are: {known}",
    "conversion": "'!{conversion}' is not allowed in a placeholder",
    "bad-format": "format '{format}' is not allowed",
    "long-values": "what the placeholders stand for has over {most} characters",
    "cannot-show": "'{{{name}:{format}}}': the value of '{name}' is {kind}, which this format "
    "cannot show",
    "bad-template": "'{template}': {error}",
    "deep-template": "the template is nested too deeply",
    "bad-link": "the link is no address such as https://example.com",
    "empty-button": "the title of a button is empty",
    "bad-scrap-url": "scrap_url gives no address such as https://www.naver.com",
    "not-utf8": "'{name}' is not UTF-8 text (byte {at}); write it as UTF-8",
    "no-json": "'{name}' gives no JSON: {error}",
    "no-object": "'{name}' gives JSON, but no object such as {{\"score\": 5}}",
    "deep-data": "{name}: the data are nested too deeply",
    "taken-name": "{name} has a field '{field}', which is kakaocron's own placeholder; choose "
    "another name",
    "cannot-run": "cannot run '{name}': {error}",
    "not-executable": "it is no program yet: chmod +x {path}",
    "no-interpreter": "its first line names no interpreter, as in #!/bin/sh or "
    "#!/usr/bin/env python3",
    "windows-lines": "its lines end as on Windows; save it with the line ends of Unix",
    "interpreter-gone": "its first line names an interpreter that is not there: '{interpreter}'",
    "exit": "'{name}' ended with exit code {code}",
    "exit-saying": "'{name}' ended with exit code {code}: {words}",
    "signal": "'{name}' ended with signal {signal}",
    "signal-saying": "'{name}' ended with signal {signal}: {words}",
    "killed": "'{name}' was killed with its supervisor",
    "too-slow": "'{name}' took longer than {seconds:g} s",
    "printed-much": "'{name}' printed more than {most} bytes",
    "no-file": "'{path}' is not a file",
    "not-there": "cannot read '{path}': No such file or directory; a path starts where config.toml "
    "lies (the real file, if it is a link)",
    "cannot-read": "cannot read '{path}': {error}",
    "bad-file-name": "cannot read a file of the name '{path}'",
    "long-file": "'{path}' is longer than {most} bytes",
    # What a value is, that may itself be private.
    "kind-null": "null",
    "kind-truth": "true or false",
    "kind-whole": "a whole number",
    "kind-number": "a number",
    "kind-text": "a text",
    "kind-object": "an object",
    "kind-list": "a list",
    "kind-time": "a time",
    "kind-unknown": "no content type",
    # One value of a table: text/tables finds what is wrong.
    "missing": "is missing",
    "unknown-key": "unknown key",
    "bad-choice": "invalid enum value {value}",
    "at-least": "must be at least {bound}",
    "at-most": "must be at most {bound}",
    "more-than": "must be greater than {bound}",
    "short-value": "must have at least {count} characters",
    "long-value": "must have at most {count} characters",
    "few-elements": "must have at least {count} elements",
    "many-elements": "must have at most {count} elements",
    "not-integer": "must be an integer",
    "not-number": "must be a number",
    "not-string": "must be a string",
    "not-boolean": "must be a boolean: true or false",
    "not-list": 'must be a list, as in [1, 2] or ["a", "b"]',
    "not-table": "must be a table",
    # The same of a template of Kakao's.
    "object-type": "object_type must be text, feed, list, location, commerce or calendar",
    "no-field": "is no field of this template",
    "empty-value": "must be a text of at least 1 character",
    "long-words": "{text}has {units} characters, Kakao takes {most}",
    "not-web": "must be an address such as https://example.com",
    "not-whole": "must be a whole number",
    "no-address": "needs one of {names}",
    # Data that come as a table, or from an address.
    "read-json": "'{name}': JSON, fields: {count}",
    "read-csv": "'{name}': CSV in {encoding}, rows: {count}, the last is row {row}",
    "read-workbook": "'{name}': sheet '{sheet}', rows: {count}, the last is row {row}",
    "no-encoding": "'{name}' is neither UTF-8 nor CP949 text (byte {at}); save it as CSV UTF-8",
    "no-csv": "'{name}', row {row}: this is not CSV: {error}",
    "csv-open-quote": "a quote is not closed",
    "csv-quote": "a quote stands inside a cell",
    "csv-long-cell": "a cell is too long",
    "empty-sheet": "'{name}' holds nothing",
    "no-rows": "'{name}' has headings in row {row}, and no row below them",
    "many-rows": "'{name}' has more than {most} rows",
    "many-columns": "'{name}' has more than {most} columns",
    "wide-row": "'{name}', row {row}: it has more cells than the {count} headings; a cell with a "
    "comma in it needs quotes around it",
    "no-column": "'{name}', row {row}: no heading is called '{field}'; there are: {known}",
    "same-heading": "'{name}', row {row}: {count} headings are called '{column}'; give each a name "
    "of its own",
    "taken-heading": "'{name}', row {row}, column '{column}': '{field}' is kakaocron's own "
    "placeholder too; write {{{plain}_last}} for the column, or give it another heading",
    "empty-cell": "'{name}', row {row}, column '{column}': the cell is empty; write {{{field}:s}} "
    "if it may be",
    "odd-cell": "'{name}', row {row}, column '{column}': the format '{format}' cannot show what is "
    "in the cell: {kind}",
    "no-number": "'{name}', row {row}, column '{column}': no sum can be made with what is in the "
    "cell: {kind}",
    "error-cell": "'{name}', row {row}, column '{column}': the cell holds the error {error}",
    "unreckoned-cell": "'{name}', row {row}, column '{column}': the cell's formula has no value "
    "yet; open the file in Excel and save it",
    "no-workbook": "'{name}' is no workbook that can be read: {error}",
    "old-workbook": "'{name}' is a workbook of the old kind; save it as .xlsx",
    "big-workbook": "'{name}' unpacks to more than {most} bytes",
    "no-extra": "'{name}' needs openpyxl: pip install 'kakaocron[excel]'",
    "url-failed": "'{url}': {error}",
    "url-status": "'{url}' answers HTTP {status}",
    "url-page": "'{url}' gives a web page, no data; is the sheet published?",
    "url-in-clear": "'{url}' leads to an address that is not https://, which is not followed",
    "url-leads-on": "'{url}' leads on more than {most} times",
    "no-image": "'{name}' is no picture that Kakao takes: PNG, JPEG, GIF, WEBP or BMP by its "
    "content",
    "long-image": "'{name}' is longer than {most} bytes, the most that Kakao takes of a picture",
    "image-changed": "'{name}' changed while it was sent",
    "upload-too-slow": "the picture was not uploaded in time",
    # By hand.
    "resolved": "resolved at {at}",
    "in-peace": "it was paused or cancelled",
    # Files.
    "denied": "{reason}: '{file}'",
    "denied-by-owner": "{reason}: '{file}' is {owner}'s",
    "secret-odd": "{name} holds a blank or a character that no key or token has",
    "secret-long": "{name}_FILE: '{path}' is longer than {most} bytes",
    "secret-unreadable": "{name}_FILE: cannot read '{path}' ({error})",
    "not-utf8-text": "not UTF-8 text",
    "lock-held": "Another process has held the lock '{path}' for {seconds:g} s; nothing was done",
    "lock-replaced": "The lock '{path}' is replaced again and again",
    "lock-held-sending": "Another process has held the ledger's lock for too long: nothing more "
    "was sent; what was on its way is recorded",
    "lock-elsewhere": "another process holds its lock",
    "ledger-unreadable": "The ledger '{folder}' cannot be read ({error}), and nothing is sent "
    "without it",
    "ledger-unwritable": "The ledger '{folder}' cannot be written ({error}), and nothing is sent "
    "without it",
    "later-ledger": "'{path}' was written by a later kakaocron (format {format}, this kakaocron "
    "reads {known}); nothing was sent",
    # The shared ledger.
    "no-driver": "[ledger] url needs the extra 'postgres'",
    "bad-database-url": "[ledger] url cannot be read as postgresql://HOST,HOST/DATABASE",
    "database-unusable": "The database '{where}' cannot be used ({error}), and nothing is sent "
    "without it",
    "no-tables": "The database '{where}' has no tables of kakaocron; nothing was sent",
    "not-utf8-database": "The database '{where}' is encoded in {encoding}, which cannot hold "
    "Korean; make one in UTF8",
    "later-tables": "The tables in '{where}' are those of a later kakaocron (version {found}, this "
    "one knows {known}); nothing was sent",
    "earlier-tables": "The tables in '{where}' are those of an earlier kakaocron (version {found}, "
    "this one needs {known}); nothing was sent",
    "clock-off-database": "This host's clock is {seconds:+g} s off the database's, more than "
    "{most:g} s; nothing was sent",
    "ledger-moved": "The ledger '{folder}' was carried over to '{to}', and nothing is sent without "
    "it",
    "ledger-left": "The ledger in '{folder}' was not carried over to '{where}'; nothing was sent",
    "overtaken": "'{what}' was changed by another host at the same moment; nothing was done",
    "login-key": "The login that the hosts share cannot be read with this KAKAOCRON_LOGIN_KEY",
    "lease-held": "Another host is at '{name}' just now",
    "old-day-stays": "'{path}' is older than [ledger] keep_days and cannot be removed ({error})",
    "later-document": "'{path}' cannot be read: a later kakaocron wrote it (format {format}; this "
    "one reads {known}); nothing was sent",
    "pauses-unreadable": "'{path}' cannot be read ({error}), so nobody knows what is paused; "
    "nothing was sent",
    "timetables-unreadable": "'{path}' cannot be read ({error}), so nobody knows since when the "
    "messages' times hold; nothing was sent",
    "newer-format": "a later kakaocron wrote it (format {format}; this one reads {known})",
    "not-json": "not JSON",
    "no-json-object": "not a JSON object",
    "no-version-number": "its version is no number",
    "lacks-key": "it lacks '{key}'",
    "bad-value": "{error}",
    "odd-form": "it is not of the form that kakaocron writes",
    "odd-numbers": "it holds numbers that are not below {end}",
    "document-unwritable": "'{path}' cannot be written ({error}); nothing was changed",
    "not-recorded": "The ledger does not take how the sending ended ({error}); nothing has left. "
    "Nothing more is sent without it",
    "not-recorded-one": "The ledger does not take how the sending ended ({error}); 1 message may "
    "have arrived: {ids}. Nothing more is sent without it",
    "not-recorded-many": "The ledger does not take how the sending ended ({error}); {count} "
    "messages may have arrived: {ids}. Nothing more is sent without it",
    "bug": "kakaocron has a bug: {type} at {file}:{line}; the log has the whole story: "
    "kakaocron.log",
    "bad-lines": "unreadable line {lines}",
    "shorter": "it has {bytes} bytes, and had {before}: an older copy, or cut short",
    "other-file": "it is not the file that the ticks have seen: an older copy",
}
# What to do, where that is not in the sentence.
MENDS: Templates = {
    "secret-unreadable": "Put the secret into that file, or take {name}_FILE out of the .env or "
    "environment",
    "lock-held-sending": SEE_DOCTOR,
    "ledger-unreadable": SEE_DOCTOR,
    "ledger-unwritable": SEE_DOCTOR,
    "later-ledger": UPGRADE,
    "no-driver": "Install it: pip install 'kakaocron[postgres]'",
    "bad-database-url": "As in: postgresql://db1,db2/kakaocron",
    "database-unusable": SEE_DOCTOR,
    "no-tables": "Make them: kakaocron ledger init",
    "later-tables": UPGRADE,
    "earlier-tables": "Upgrade them: kakaocron ledger init",
    "clock-off-database": "Set the clock: timedatectl set-ntp true",
    "ledger-moved": "Set [ledger] url where that is a database, unset it where it is a folder; or "
    "carry it back: kakaocron ledger copy --to",
    "ledger-left": "Carry it over: kakaocron ledger copy --to URL; to begin again, move that "
    "folder away",
    "login-key": "Give every host the same key",
    "overtaken": "Look, and do it again if it is still wanted",
    "old-day-stays": "Remove it by hand",
    "later-document": UPGRADE,
    "pauses-unreadable": "Fix the file, or remove it to pause nothing",
    "timetables-unreadable": "Fix the file, or remove it to let them hold since ever",
    "not-recorded": SEE_DOCTOR,
    "not-recorded-one": SEE_DOCTOR,
    "not-recorded-many": SEE_DOCTOR,
}


def in_words(cause: Cause, templates: Templates = TEMPLATES) -> str:
    """Return the sentence for a cause; for one that is not in the table its code and facts.

    {error} may be kept as `behind`, the code of a cause of its own, beside the facts of that.
    {fault} is a cause of its own (`as_facts`), {kind} may be the code of one. {text} is made of how
    many characters of a text are `seen`, and how many `units` they count. Where these are words of
    ours, an earlier version wrote them.
    """
    said = dict(cause.facts)
    if fault := part_of(said, "fault"):
        said["fault"] = in_words(fault)
    if str(kind := said.get("kind")).startswith("kind-"):
        said["kind"] = in_words(Cause(str(kind)))
    if (seen := said.get("seen")) is not None:
        said["text"] = counted(seen, said.get("units"))
    if isinstance(behind := said.pop("behind", None), str):
        said["error"] = in_words(Cause(behind, said))
    try:
        return _(templates[cause.code]).format_map(said)
    except (KeyError, ValueError, TypeError):  # of a later version
        return str(cause)


def mend_of(cause: Cause) -> str:
    """Return what to do about a cause, empty where that is in its sentence."""
    mend = MENDS.get(cause.code)
    return _(mend).format_map(cause.facts) if mend else ""


def with_mend(cause: Cause) -> str:
    """Return the sentence for a cause, and what to do."""
    words, mend = in_words(cause), mend_of(cause)
    return f"{words}. {mend}" if mend else words


def counted(seen: object, units: object) -> str:
    """Say that what a reader takes for fewer characters counts more; nothing if it does not."""
    if seen == units:
        return ""
    count = _("{seen} characters count {units} (an emoji two or more): ")
    return count.format(seen=seen, units=units)


def said(words: str) -> Cause:
    """Return the cause of what somebody else has put into words."""
    return Cause("said", {"words": words})


def as_facts(name: str, cause: Cause) -> dict[str, str | int | float]:
    """Return a cause as facts of another one: its code as `name`, its facts as `name.fact`."""
    return {name: cause.code, **{f"{name}.{fact}": said for fact, said in cause.facts.items()}}


def part_of(facts: Facts, name: str) -> Cause | None:
    """Return the cause that `as_facts` put among these facts, None if there is none."""
    if not isinstance(code := facts.get(name), str):
        return None
    start = f"{name}."
    mine = {fact[len(start) :]: said for fact, said in facts.items() if fact.startswith(start)}
    return Cause(code, mine)


def parts(code: str, /, **facts: str | int | float) -> tuple[str, str, Cause]:
    """Return what an error says of a cause: what, what to do, and the cause itself."""
    cause = Cause(code, facts)
    return in_words(cause), mend_of(cause), cause


def usage_error(code: str, /, **facts: str | float) -> UsageError:
    """Return the error of a setting that cannot be used for one of the causes above."""
    cause = Cause(code, facts)
    return UsageError(in_words(cause), cause=cause)


def content_error(code: str, /, **facts: str | float) -> ContentError:
    """Return the error of a content that cannot be made for one of the causes above."""
    cause = Cause(code, facts)
    return ContentError(in_words(cause), cause)
