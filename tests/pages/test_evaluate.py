"""The Evaluate page: set up, started with a click, cancelled, taken up again, read down to the raw answer."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from pages import _evaluate_runs
from tests.pages.conftest import MAIN, Page

EVALUATE = str(Path(MAIN).with_name("evaluate.py"))
LIMIT_S = 120.0


class Evaluate(Page):
    """The Evaluate page."""

    def __init__(self, **query: str) -> None:
        self.at = AppTest.from_file(str(MAIN), default_timeout=120)
        for name, value in query.items():
            self.at.query_params[name] = value
        self.at.switch_page(EVALUATE)
        self.run()

    def start(self) -> Evaluate:
        """Start what the page says and wait until it is over."""
        self.click("evaluate_start")
        return self.wait()

    def wait(self) -> Evaluate:
        work = _evaluate_runs.work(self.id)
        assert work is not None
        assert work.wait(LIMIT_S)
        self.run()
        return self

    @property
    def id(self) -> str:
        found = self.at.query_params["run"]
        return str(found if isinstance(found, str) else found[0])

    @property
    def headline(self) -> str:
        return self.at.header[0].value

    def cells(self, table: int) -> dict[str, list[str]]:
        """A table's rows by their first cell."""
        frame = self.at.table[table].value
        return {str(row[0]): [str(cell) for cell in row[1:]] for row in frame.itertuples(index=False)}


def test_one_click_measures_the_embedded_model_against_the_formula() -> None:
    page = Evaluate()
    assert "150 readings" in page.markdown
    assert "75 calls of a model" in page.markdown
    page.start()
    assert page.headline.startswith("offline reads 15 messages with an error of")
    assert "less than the Rust formula" in page.headline.replace("\\", "")
    errors = page.cells(0)["**Error**"]
    assert float(errors[0][2:7]) < float(errors[1][2:7])
    again = Evaluate(run=page.id)
    assert again.headline == page.headline
