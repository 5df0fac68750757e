"""Every state in which a power cut may leave the files, after Pillai et al. (ALICE, OSDI 2014).

Of what was not fsynced each change of names is kept or lost by itself, and each write is kept,
lost, cut off at any byte, or there in size with NUL in place of some or all of its bytes, whatever
became of the changes before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, combinations, product
from typing import TypeVar

from kakaocron.rehearsal.simulation.files import Change, FileSystem, Inode, torn

T = TypeVar("T")

# Of more changes than this to one file or folder, not every subset is looked at.
MOST_IN_FULL = 5
BLOCK = 512
FEWER = 32


@dataclass(frozen=True, slots=True)
class _Shape:
    """A folder with one choice of the names in it, and of those in the folders below."""

    inode: Inode
    names: Mapping[str, Inode | _Shape]

    def files(self, path: str = "") -> Iterator[tuple[str, Inode]]:
        for name, one in self.names.items():
            if isinstance(one, _Shape):
                yield from one.files(f"{path}/{name}")
            else:
                yield f"{path}/{name}", one

    def folders(self, path: str = "") -> Iterator[str]:
        yield path
        for name, one in self.names.items():
            if isinstance(one, _Shape):
                yield from one.folders(f"{path}/{name}")


@dataclass(frozen=True, slots=True)
class Left:
    """What a power cut left. `is_torn`: some write is cut at a byte that means nothing."""

    files: FileSystem
    is_torn: bool


def after_power_cut(
    files: FileSystem, seen: set[bytes], every: int = 1, mark: bytes = b""
) -> Iterator[Left]:
    """Yield the states that are not in `seen`, and add them there under `mark`.

    Whole, lost, halved and hollow writes are looked at in all combinations. One file at a time is
    cut at each byte (with `every`, at each so manieth) while the others are as new as can be, or,
    at fewer bytes, as old.
    """
    for shape in _shapes(files.root):
        found = sorted(shape.files(), key=lambda one: one[0])
        fixed = blake2b(repr(sorted(shape.folders())).encode() + mark)
        inodes = [inode for _, inode in found]
        for contents, is_torn in _contents(inodes, every):
            digest = fixed.copy()
            for (path, _), content in zip(found, contents, strict=True):
                digest.update(b"%b\0%d\0%b" % (path.encode(), len(content), content))
            key = digest.digest()
            if key not in seen:
                seen.add(key)
                chosen = dict(zip(inodes, contents, strict=True))
                yield Left(files.with_root(_inode(shape, chosen, {})), is_torn)


def _contents(inodes: Sequence[Inode], every: int) -> Iterator[tuple[tuple[bytes, ...], bool]]:
    for contents in product(*(_main_contents(inode) for inode in inodes)):
        yield contents, False
    new, old = [one.content for one in inodes], [one.durable for one in inodes]
    for index, inode in enumerate(inodes):
        for rest, step in ((new, every), (old, every * FEWER)):
            for content in _torn_contents(inode, step):
                yield (*rest[:index], content, *rest[index + 1 :]), True


def _shapes(folder: Inode) -> Iterator[_Shape]:
    for names in _names(folder):
        folders = [name for name, inode in names.items() if inode.is_folder]
        for below in product(*(list(_shapes(names[name])) for name in folders)):
            yield _Shape(folder, {**names, **dict(zip(folders, below, strict=True))})


def _names(folder: Inode) -> Iterator[dict[str, Inode]]:
    seen = set()
    for kept in _subsets(folder.renamings):
        names = dict(folder.durable_names)
        for renaming in kept:
            for name in renaming.gone:
                names.pop(name, None)
            names.update(renaming.come)
        key = frozenset((name, inode.number) for name, inode in names.items())
        if key not in seen:
            seen.add(key)
            yield names


def _main_contents(inode: Inode) -> list[bytes]:
    """Return every subset of the writes, and each write halved or hollow after those before it."""
    found = [_applied(inode.durable, kept) for kept in _subsets(inode.changes)]
    before = inode.durable
    for change in inode.changes:
        if change.data:
            half = len(change.data) // 2
            found += [torn(change, kept, how)(before) for kept, how in ((half, "s"), (0, "n"))]
        before = change.applied_to(before)
    return list(dict.fromkeys(found))


def _torn_contents(inode: Inode, every: int) -> Iterator[bytes]:
    """Yield each write cut at every byte, with those after it kept or lost; those before it are
    kept, and for fewer cuts lost."""
    changes = inode.changes
    for index, change in enumerate(changes):
        bases = [(_applied(inode.durable, changes[:index]), every)]
        if index:
            bases.append((inode.durable, every * FEWER))
        for base, step in bases:
            for cut in _cuts(change.data or b"", step):
                for how in "snh":
                    content = torn(change, cut, how)(base)
                    yield content
                    if index + 1 < len(changes):
                        yield _applied(content, changes[index + 1 :])


def _cuts(data: bytes, every: int) -> Iterable[int]:
    """Yield where to cut a write: at every byte, but of a filling only at the ends of blocks."""
    said = len(data.rstrip(b" "))
    return chain(range(0, said + 1, every), range(said // BLOCK * BLOCK, len(data), BLOCK))


def _applied(content: bytes, changes: Iterable[Change]) -> bytes:
    for change in changes:
        content = change.applied_to(content)
    return content


def _subsets(changes: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yield the changes that may have been kept, in their order."""
    count = len(changes)
    if count <= MOST_IN_FULL:
        for size in range(count + 1):
            yield from combinations(changes, size)
        return
    for index in range(count):
        yield changes[:index]
        yield changes[index:]
        yield changes[index : index + 1]
        yield [*changes[:index], *changes[index + 1 :]]


def _inode(one: Inode | _Shape, contents: Mapping[Inode, bytes], made: dict[Inode, Inode]) -> Inode:
    origin = one.inode if isinstance(one, _Shape) else one
    if origin in made:
        return made[origin]
    new = made[origin] = Inode(origin.number, origin.is_folder, changed_ns=origin.changed_ns)
    if isinstance(one, _Shape):
        new.names = {name: _inode(below, contents, made) for name, below in one.names.items()}
        new.durable_names = dict(new.names)
    else:
        new.content = new.durable = contents[origin]
    return new
