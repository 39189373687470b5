"""Keyword arguments as options of the command line. The program checks them: an unknown one is its usage error."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Union, cast

from ._program import Error

_Word = Union[str, int, date, timedelta, "os.PathLike[str]"]

Option = Union[None, _Word, Iterable[_Word], Mapping[str, _Word]]
"""None and False leave an option out, True gives it without a value, several values repeat it, and a mapping gives `KEY=VALUE`
for each entry."""

# The option is `--rule`, repeated; several of them read better as `rules=[…]`.
_ALSO = {"rules": "rule"}


def arguments(options: Mapping[str, Option]) -> list[str]:
    """The options as arguments, each in one: a value that begins with `-` stays a value."""
    words: list[str] = []
    for name, value in options.items():
        flag = "--" + _ALSO.get(name, name).replace("_", "-")
        if value is True:
            words.append(flag)
        elif value is not None and value is not False:
            words += [f"{flag}={text}" for text in _texts(name, value)]
    return words


def _texts(name: str, value: Option) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, entry in cast("Mapping[str, object]", value).items():
            yield f"{key}={_text(name, entry)}"
    elif isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        for entry in cast("Iterable[object]", value):
            yield _text(name, entry)
    else:
        yield _text(name, value)


def _text(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise Error(f"{name}: a datetime needs a time zone, such as datetime.now(timezone.utc)")
        try:
            utc = value.astimezone(timezone.utc)
        except OverflowError as error:
            raise Error(f"{name}: {value} is not a time in UTC") from error
        return utc.replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        if value % timedelta(seconds=1):
            raise Error(f"{name}: {value} is not a number of whole seconds")
        return f"{int(value.total_seconds())}s"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fsdecode(cast("os.PathLike[str]", value))
    raise Error(f"{name}: {value!r} is not a value of an option")
