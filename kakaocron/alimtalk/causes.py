"""What the dealers' answers add to the causes that the ledger keeps, in words. Pure."""

from __future__ import annotations

from kakaocron.errors import Cause, ContentError
from kakaocron.language.words import _, marked
from kakaocron.text import causes

# As those of text/causes: never reworded, only added to. {meaning} is that of the dealer's {code}.
TEMPLATES: causes.Templates = {
    "nhn": "NHN Cloud: {meaning} ({code})",
    "nhn-result": "{meaning} ({code})",
    "nhn-key-known": "NHN Cloud knows this request already ({code}): its end is looked up",
    "solapi": "SOLAPI: {meaning} ({code})",
    "alimtalk-no-answer": "HTTP {status} with {bytes} bytes, not {dealer}'s answer",
    "alimtalk-twice": "{dealer} knows {count} messages by one key",
    "alimtalk-sms-instead": "an SMS went out in its place",
    "alimtalk-number": "{number} is no mobile number of Korea",
    "alimtalk-unset": "{name} is not given: {dealer} takes nothing without it",
    "alimtalk-cap": "daily_cap in [alimtalk] is {most}, and {sent} went out today",
    "alimtalk-missing": "the template {template} needs variables that are not given: {names}",
    "alimtalk-unknown": "the template {template} has no variable {names}",
    "alimtalk-long": "with its variables the text has {length} characters, and {dealer} takes "
    "{most}",
    "alimtalk-long-value": "the variable {name} has {length} characters, and {dealer} takes {most}",
    "alimtalk-group": "SOLAPI's group {group} is {status}: it cannot be sent any more",
}

# The account's own faults, by the dealers' codes: nothing goes until a person acts.
OF_NHNS_ACCOUNT = frozenset({-1000, -1001, -1006, -1014, -1027, -1030, -2017})
OF_SOLAPIS_ACCOUNT = frozenset({"InvalidAPIKey", "SignatureDoesNotMatch", "InactiveApp"})

# What codes mean. NHN Cloud: its page of error codes, for requests and (Kakao's) for results.
NHN_MEANINGS: causes.Templates = {
    "4": "a parameter is missing or wrong",
    "-1000": "it does not know the app key",
    "-1001": "it does not know the secret key",
    "-1005": "the same idempotency key came within 10 minutes",
    "-1006": "there is no such sender profile",
    "-1014": "the sender profile cannot be used",
    "-1016": "there is no such message",
    "-1017": "the daily quota of the sender profile is used up",
    "-1027": "the sender profile is blocked",
    "-1028": "a new sender's text may grow by 14 characters at most where variables are filled in",
    "-1030": "the business is not verified",
    "-1031": "no recipient was taken",
    "-2017": "the sender profile cannot be used",
    "-2019": "the text is too long",
    "-3003": "there is no such template",
    "-3004": "a variable of the template is wrong",
    "-3005": "the template is not approved",
    "-3010": "the text is not the template's",
    "-3048": "a variable is too long",
    "-3049": "the variables are not those of the template",
    "-4003": "a look-up over too long a time",
    "-4017": "a look-up more than 90 days back",
    "-4019": "the phone number is wrong",
    "-5000": "the phone number is wrong",
    "-7000": "it could not reach KakaoTalk",
    "-8006": "the text holds no word of authentication",
    "-8008": "the text holds a forbidden word",
    "-9999": "an internal fault",
    "1000": "delivered",
    "2001": "an unexpected fault at Kakao",
    "3000": "an unexpected fault at Kakao",
    "3005": "sent, but receipt is not confirmed: it may arrive within 3 days",
    "3006": "an internal fault at Kakao",
    "3008": "the phone number is wrong",
    "3010": "an unexpected fault at Kakao",
    "3012": "the link to Kakao failed: it may have arrived",
    "3014": "the text is too long",
    "3015": "there is no such template",
    "3016": "the text is not the template's",
    "3018": "it cannot be sent to this phone, such as when KakaoTalk was not used for a week",
    "3019": "the phone has no KakaoTalk",
    "3020": "the receiver blocks 알림톡",
    "3021": "the receiver's KakaoTalk is too old",
    "3022": "not between 08:00 and 20:50",
    "3025": "a variable is too long",
    "4000": "Kakao knows no result yet",
    "4001": "Kakao does not know how it stands",
    "4131": "Kakao knows the request already",
    "4143": "the request has expired at Kakao",
    "4156": "sent too often",
    "4161": "Kakao is still at it",
    "9998": "a fault in between that is looked into: it may have arrived",
    "9999": "a fault in between that is looked into: it may have arrived",
}
# SOLAPI: its page of status codes and the error names of its group calls.
SOLAPI_MEANINGS: causes.Templates = {
    "InvalidAPIKey": "it does not know the API key",
    "SignatureDoesNotMatch": "the API secret is not that of the API key",
    "RequestTimeTooSkewed": "this machine's clock is more than 15 minutes off",
    "DuplicatedSignature": "a signature came twice",
    "InvalidStatus": "the group cannot be sent as it stands",
    "InvalidGroupStatus": "the group cannot be changed as it stands",
    "DeletedGroup": "the group is deleted",
    "FailedGroup": "the group has failed",
    "ResourceNotFound": "there is no such group",
    "ValidationError": "a parameter is missing or wrong",
    "InactiveApp": "the app is not active",
    "NotEnoughBalance": "there is not enough money in the account",
    "RecipientsTooMany": "too many recipients",
    "MessagesNotFound": "the group holds no message",
    "GroupInProcessing": "the group is being sent",
    "AlreadySent": "the group was sent already",
    "1026": "the phone number is in the group twice",
    "1030": "there is not enough money in the account",
    "1031": "the text is too long",
    "1032": "a custom field is wrong",
    "1062": "the sender number is not registered",
    "2024": "an internal fault",
    "2062": "the sender number is not registered",
    "2230": "there is not enough money in the account",
    "2254": "taken for spam",
    "3012": "the partner's fault: it may have arrived",
    "3014": "how it stands is not known: it may have arrived",
    "3024": "an internal fault: it may have arrived",
    "3040": "Kakao gave no answer in time: it may have arrived",
    "3101": "the channel's key is wrong",
    "3103": "the text is not the template's",
    "3104": "the phone has no KakaoTalk",
    "3105": "the template is not registered",
    "3106": "the channel cannot be used",
    "3107": "KakaoTalk was not used for 72 hours, or the receiver blocks 알림톡",
    "3108": "not between 08:00 and 20:00",
    "4000": "delivered",
}
_OF_OPTIONS = marked("the channel, the template or its variables are wrong")
_OF_BLOCKED = marked("the sender or the receiver is blocked")
# Where only the range of SOLAPI's codes is documented.
_RANGES = (
    (range(1041, 1054), _OF_OPTIONS),
    (range(1060, 1065), _OF_BLOCKED),
    (range(2060, 2065), _OF_BLOCKED),
)


def in_words(cause: Cause) -> str:
    """Return the sentence for a cause of a dealer's or a common one."""
    if cause.code not in TEMPLATES:
        return causes.in_words(cause)
    said = {"meaning": _meaning(cause), **cause.facts}
    return causes.in_words(Cause(cause.code, said), TEMPLATES)


def is_own(code: str) -> bool:
    return code in TEMPLATES


def is_down(cause: Cause) -> bool:
    """Say whether a dealer takes nothing by this account until a person has acted."""
    code = str(cause.facts.get("code"))
    if cause.code == "nhn":
        return code in map(str, OF_NHNS_ACCOUNT)
    return cause.code == "alimtalk-unset" or code in OF_SOLAPIS_ACCOUNT


def _meaning(cause: Cause) -> str:
    code = str(cause.facts.get("code", ""))
    table = SOLAPI_MEANINGS if cause.code == "solapi" else NHN_MEANINGS
    if code in table:
        return _(table[code])
    for numbers, words in _RANGES:
        if table is SOLAPI_MEANINGS and code.isdecimal() and int(code) in numbers:
            return _(words)
    return _("a code that its documentation does not explain")


def content_error(code: str, /, **facts: str | int) -> ContentError:
    """Return the error of a content that no dealer would take."""
    cause = Cause(code, facts)
    return ContentError(in_words(cause), cause)
