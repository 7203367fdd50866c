"""What the documentation takes from the code: `python -m docs.generate` writes it, and so does `make docs`."""

from __future__ import annotations

from pathlib import Path

from docs import packages, pictures, reference

IMAGES = Path(__file__).parent / "images"


def drawn() -> dict[Path, str]:
    """Every picture that is made from the code, as it should be."""
    made = {"packages.svg": packages.picture(), **pictures.drawn(IMAGES)}
    return {IMAGES / name: text for name, text in made.items()}


def main() -> None:
    reference.write()
    for path, text in drawn().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
