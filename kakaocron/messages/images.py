"""The pictures of messages: files, and what commands print, told by their content."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from kakaocron.kakao.pictures import MAX_IMAGE_BYTES, image_type
from kakaocron.system.http import Stream
from kakaocron.system.programs import Programs, open_content
from kakaocron.text.causes import content_error

HEAD_BYTES = 16
CHUNK_BYTES = 1 << 16

TypedStream = tuple[str, Stream]


def of_file(path: Path) -> TypedStream:
    """Return a file's type, and its bytes as they will be read. Raises ContentError."""
    with open_content(path) as file:
        length = os.fstat(file.fileno()).st_size
        head = file.read(HEAD_BYTES)
    return _checked(str(path), head, length, partial(_bytes_of, path, length))


def of_command(
    programs: Programs, argv: Sequence[str], folder: Path, seconds: float
) -> TypedStream:
    """Return the type and the bytes of what a command prints. Raises ContentError."""
    name, output = argv[0], programs.output_of(argv, folder, seconds, MAX_IMAGE_BYTES)
    return _checked(name, bytes(output[:HEAD_BYTES]), len(output), partial(_in_chunks, output))


def _checked(
    name: str, head: bytes, length: int, opened: Callable[[], Iterator[bytes]]
) -> TypedStream:
    kind = image_type(head)
    if kind is None:
        raise content_error("no-image", name=name)
    if length > MAX_IMAGE_BYTES:
        raise content_error("long-image", name=name, most=MAX_IMAGE_BYTES)
    return kind, Stream(length, opened)


def _in_chunks(output: bytearray) -> Iterator[bytes]:
    for start in range(0, len(output), CHUNK_BYTES):
        yield bytes(output[start : start + CHUNK_BYTES])


def _bytes_of(path: Path, length: int) -> Iterator[bytes]:
    """Yield a file's bytes, which must be as many as before: of another one nothing was told."""
    with open_content(path) as file:
        if os.fstat(file.fileno()).st_size != length:
            raise content_error("image-changed", name=str(path))
        while some := file.read(min(CHUNK_BYTES, length)):
            length -= len(some)
            yield some
    if length:
        raise content_error("image-changed", name=str(path))
