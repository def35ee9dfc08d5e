"""Reading the text of a carrier file, and telling what is wrong with it: file, line, key, value, what is allowed."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Union, cast, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ledger.carrier_values import BROKEN_RULES, HEADER, Broken, allowed_values, file_keys

Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\')'
    r"|(?P<skip>[ \t\r]+|#[^\n]*)|(?P<mark>[\[\]{}=,.\n])|(?P<bare>[^\s\[\]{}=,.#\"']+)",
    re.DOTALL,
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_LINE_IN_MESSAGE = re.compile(r" \(at line (\d+), column \d+\)$")
_LIST_HEADER = 2
_SHOWN_LENGTH_LIMIT = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a carrier file, as one sentence."""

    source: str
    line: int | None
    key: str
    found: str
    allowed: str

    def __str__(self) -> str:
        where = self.source if self.line is None else f"{self.source}, line {self.line}"
        return f"{where}: {self.key} {self.found}; allowed: {self.allowed}."


class CarrierError(ValueError):
    """A carrier file that cannot be used, with every problem found in it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def read_toml(text: str, source: str) -> dict[str, Any]:
    """Parse the text, decimals exactly as written. Raises CarrierError when it is not TOML."""
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = _LINE_IN_MESSAGE.search(message)
        said = f"is not TOML ({_LINE_IN_MESSAGE.sub('', message)})"
        problem = Problem(source, int(at[1]) if at else None, "the text", said, "TOML 1.0, each key once")
        raise CarrierError([problem]) from error


def problems_of(
    error: ValidationError, model: type[BaseModel], data: Mapping[str, Any], text: str, source: str
) -> list[Problem]:
    """Turn what pydantic found into problems, in the order of the lines.

    `data` is what the text holds: values are told as the file spells them.
    """
    lines = key_lines(text)
    found = [
        Problem(source, _line_of(lines, broken.key), key_path(broken.key), said, broken.allowed)
        for detail in error.errors(include_url=False)
        for broken, said in _broken_of(detail, model, data)
    ]
    return sorted(found, key=lambda problem: problem.line or 0)


def _broken_of(detail: ErrorDetails, model: type[BaseModel], data: Mapping[str, Any]) -> Iterator[tuple[Broken, str]]:
    """What one validation error means, and how the sentence about it goes on after the key."""
    path = tuple(part for part in detail["loc"] if part != HEADER)
    if detail["type"] == BROKEN_RULES:
        for broken in detail["ctx"]["broken"]:
            whole = broken.below(*path)
            yield whole, _found(data, whole.key)
    elif detail["type"] == "extra_forbidden":
        path = detail["loc"]
        known = list(file_keys(_table_at(model, path[:-1])))
        close = difflib.get_close_matches(str(path[-1]), known, n=1)
        guess = f" (did you mean {close[0]}?)" if close else ""
        yield Broken(path, f"the keys {', '.join(known)}"), f"is not a known key{guess}"
    elif path != detail["loc"]:
        yield Broken(path, allowed_values(*_field_at(model, detail["loc"]))), "has that name"
    else:
        yield Broken(path, allowed_values(*_field_at(model, path))), _found(data, path)


def _found(data: object, path: Path) -> str:
    """What the file holds at a path."""
    value = data
    for part in path:
        try:
            value = value[part]  # type: ignore[index]
        except (LookupError, TypeError):
            return "is missing"
    return f"is {shown(value)}"


def shown(value: object) -> str:
    """A value as the file would spell it, cut where it is long."""
    if isinstance(value, dict):
        text = "{ " + ", ".join(f"{key} = {shown(inner)}" for key, inner in value.items()) + " }"
    elif isinstance(value, list | tuple):
        text = f"[{', '.join(shown(inner) for inner in value)}]"
    elif isinstance(value, Decimal | date):
        text = str(value)
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_LENGTH_LIMIT else f"{text[:_SHOWN_LENGTH_LIMIT]}..."


def _field_at(model: type[BaseModel], path: Path) -> tuple[object, list[object]]:
    """The type, and its marks, of the setting at a path; of the model itself at the empty path."""
    annotation: object = model
    marks: list[object] = []
    for part in path:
        annotation, marks = _step(annotation, part)
    return annotation, marks


def _step(annotation: object, part: str | int) -> tuple[object, list[object]]:
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        field = next(field for name, field in annotation.model_fields.items() if part in (name, field.alias))
        return field.annotation, list(field.metadata)
    inside = get_args(annotation)
    return (inside[1] if get_origin(annotation) is dict else inside[0]), []


def _bare(annotation: object) -> object:
    """The type without marks and without the possibility of being left out."""
    while get_origin(annotation) in (Annotated, Union, UnionType):
        annotation = next(member for member in get_args(annotation) if member is not type(None))
    return annotation


def _table_at(model: type[BaseModel], path: Path) -> type[BaseModel]:
    return cast("type[BaseModel]", _bare(_field_at(model, path)[0]))


def key_path(path: Path) -> str:
    """A path as TOML spells keys; entries of a list are counted from 1."""
    parts: list[str] = []
    for part in path:
        if isinstance(part, int):
            parts[-1] += f"[{part + 1}]"
        else:
            parts.append(part if _BARE_KEY.fullmatch(part) else json.dumps(part, ensure_ascii=False))
    return ".".join(parts) or "the file"


def _line_of(lines: dict[Path, int], path: Path) -> int | None:
    """The line of a key, else of the closest table around it."""
    return next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), None)


def key_lines(text: str) -> dict[Path, int]:
    """The line of every table header, key and list entry of a text that is valid TOML."""
    return _KeyLines(text).lines


class _KeyLines:
    """Walks the tokens of valid TOML once and notes where each key and each list entry stands."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Path, int] = {}
        self._last_of_list: dict[Path, int] = {}
        self._tokens: list[tuple[str, int]] = []
        line = 1
        for match in _TOKEN.finditer(text):
            if match.lastgroup != "skip":
                self._tokens.append((match.group(), line))
            line += match.group().count("\n")
        self._at = 0
        table: Path = ()
        while self._at < len(self._tokens):
            if self._peek() == "\n":
                self._at += 1
            elif self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else "\n"

    def _line(self) -> int:
        return self._tokens[min(self._at, len(self._tokens) - 1)][1]

    def _header(self) -> Path:
        line, depth = self._line(), 0
        while self._peek() == "[":
            depth, self._at = depth + 1, self._at + 1
        *around, last = self._key()
        path: Path = ()
        for part in around:
            path = (*path, part)
            if path in self._last_of_list:
                path = (*path, self._last_of_list[path])
        path = (*path, last)
        if depth == _LIST_HEADER:
            self._last_of_list[path] = self._last_of_list.get(path, -1) + 1
            path = (*path, self._last_of_list[path])
        self._at += depth
        self._note(path, line)
        return path

    def _note(self, path: Path, line: int) -> None:
        """Remember the line for the key and for the tables around it that have no line yet."""
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], line)

    def _key(self) -> list[str]:
        parts = []
        while True:
            token = self._peek()
            parts.append(tomllib.loads(f"{token} = 0").popitem()[0])
            self._at += 1
            if self._peek() != ".":
                return parts
            self._at += 1

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = (*table, *self._key())
        self._note(path, line)
        self._at += 1
        self._value(path)

    def _value(self, path: Path) -> None:
        opening = self._peek()
        if opening not in ("[", "{"):
            while self._peek() not in ("\n", ",", "]", "}"):
                self._at += 1
            return
        self._at += 1
        place = 0
        while (token := self._peek()) not in ("]", "}"):
            if token in ("\n", ","):
                self._at += 1
            elif opening == "{":
                self._pair(path)
            else:
                self._note((*path, place), self._line())
                self._value((*path, place))
                place += 1
        self._at += 1
