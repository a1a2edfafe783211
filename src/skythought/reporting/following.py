"""Runs as they are, and as they grow: what `skythought view` serves. Used by one thread at a time, under its lock."""

from __future__ import annotations

import gzip
import json
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from skythought.errors import UserError
from skythought.reporting.blocks import packed
from skythought.reporting.columns import Columns, Place, sample_text
from skythought.reporting.figures import run_figures
from skythought.reporting.gather import place_of
from skythought.reporting.records import BLOCK, RunFigures, index_record
from skythought.reporting.report import compared
from skythought.runs import folder
from skythought.runs.marks import Mark, save_mark
from skythought.runs.results import sample_in, samples_in
from skythought.runs.sample import Sample
from skythought.runs.totals import Totals
from skythought.runs.view import Run
from skythought.types import SampleKey

__all__ = ["Following"]

WAIT_S = 10.0
"""How long a sample of a run that goes on waits for its verdict until it is shown without one."""
SHARE = 0.1
"""Of the time, at most, that is spent on working out figures anew."""


class Following:
    """The samples of runs, in the order in which they were found."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Raises RunFolderError if a folder holds no run, or a damaged one."""
        self._paths = list(paths)
        self._lock = threading.Lock()
        self._figures: tuple[list[RunFigures], dict[str, Any] | None] = ([], None)
        self._worked_out = (-1, -1)
        """Samples and edition that the figures are of."""
        self._next_look = 0.0
        self.edition = 0
        """Counts up when what a page was told is different now, samples or figures: it has to ask for all again."""
        self._is_stale = False
        """Whether a page was given figures of before the latest samples."""
        self._open()

    def _open(self) -> None:
        runs = [Run(path) for path in self._paths]
        sources: list[_Source] = [
            _Journals(place_of(number, run), run) if run.is_as_journalled else _Results(place_of(number, run), run)
            for number, run in enumerate(runs)
        ]
        self._sources, self.columns = sources, Columns()

    def __len__(self) -> int:
        return len(self.columns)

    def read(self) -> None:
        """List all samples that are there; `len` grows meanwhile."""
        for source in self._sources:
            samples = source.samples()
            while True:
                with self._lock:
                    found = next(samples, None)
                    if found is None:
                        break
                    for sample in found:
                        source.put(self.columns, len(self.columns), sample)

    def look(self) -> None:
        """List what was journalled since."""
        if any(source.is_replaced() for source in self._sources):
            with self._lock:
                self.edition += 1
                self._open()
            self.read()
        with self._lock:
            before = len(self)
            for source in self._sources:
                for sample in source.news():
                    row = source.rows.get(sample.key)
                    source.put(self.columns, len(self.columns) if row is None else row, sample)
                    self.edition += row is not None
            if self._is_stale and len(self) == before and time.monotonic() >= self._next_look:
                self._is_stale = False
                self.edition += 1

    def index(self, since: int = 0) -> dict[str, Any]:
        """The index, with the columns of the samples from a number on, and `edition`."""
        figures, comparison = self._current_figures()
        marks = [(number, mark) for number, path in enumerate(self._paths) for mark in Run(path).marks.values()]
        with self._lock:
            columns = self.columns.since(since, BLOCK)
            return {**index_record(figures, columns, marks, comparison), "edition": self.edition}

    def block(self, number: int) -> bytes:
        """The texts of the samples of a block, as gzipped JSON.

        Raises:
            UserError: There is no such block.
        """
        with self._lock:
            rows = range(number * BLOCK, min((number + 1) * BLOCK, len(self.columns)))
            texts = [self._sources[self.columns.run[row]].text(self._key(row)) for row in rows]
        if not texts:
            raise UserError(f"there is no block {number}.")
        return packed(texts)

    def mark(self, run: int, key: SampleKey, doubt: bool, note: str) -> None:
        """Save what a person says about a sample.

        Raises:
            UserError: There is no such sample.
        """
        with self._lock:
            row = self._sources[run].rows.get(key) if 0 <= run < len(self._sources) else None
            if row is None:
                raise UserError(f"there is no sample {key.sample} of problem {key.problem_id!r}.")
            verdict = self.columns.verdict[row]
            save_mark(self._paths[run], Mark(id=key[0], sample=key[1], verdict=verdict, doubt=doubt, note=note))

    def _key(self, row: int) -> SampleKey:
        return SampleKey(self.columns.id[row], self.columns.sample[row])

    def _current_figures(self) -> tuple[list[RunFigures], dict[str, Any] | None]:
        """The figures of now, or of shortly before: those of a run that goes on take a pass over it."""
        state, began = (len(self), self.edition), time.monotonic()
        if state != self._worked_out and (began >= self._next_look or not self._figures[0]):
            self._worked_out = state
            runs = [Run(path) for path in self._paths]
            comparison, _ = compared(runs)
            figures = [run_figures(run, source.totals) for run, source in zip(runs, self._sources, strict=True)]
            self._figures = figures, comparison.record() if comparison is not None else None
            now = time.monotonic()
            self._next_look = now + (now - began) / SHARE
        self._is_stale = self._worked_out != (len(self), self.edition)
        return self._figures


class _Source:
    """Where the samples of one run come from."""

    totals: Totals | None = None
    """Of what was read, where the run has no summary of ours."""

    def __init__(self, place: Place, run: Run) -> None:
        self.place = place
        self.run = run
        self.rows: dict[SampleKey, int] = {}
        """Where each sample is listed."""
        self._stamps = self._files()

    def put(self, columns: Columns, row: int, sample: Sample) -> None:
        """List a sample in a row, the next one or an earlier one of its own."""
        columns.put(row, self.place, sample, sample.parts)
        self.rows[sample.key] = row

    def samples(self) -> Iterator[list[Sample]]:
        """All that are there, a problem at a time."""
        raise NotImplementedError

    def news(self) -> list[Sample]:
        """Samples that are new, or otherwise than they were."""
        return []

    def text(self, key: SampleKey) -> dict[str, Any]:
        """All there is to read about a sample that is listed."""
        raise NotImplementedError

    def is_replaced(self) -> bool:
        """Whether the run was made anew, extended or changed by hand."""
        return self._files() != self._stamps

    def _files(self) -> list[tuple[int, int]]:
        paths = [self.run.path / name for name in self.watched]
        return [(stat.st_ino, stat.st_mtime_ns) for path in paths if path.exists() for stat in [path.stat()]]

    watched: tuple[str, ...] = ()


class _Journals(_Source):
    """A folder of ours: texts are read from the journals when they are asked for."""

    watched = ("run.json", "samples.jsonl")

    def __init__(self, place: Place, run: Run) -> None:
        super().__init__(place, run)
        self._folder = folder.load(run.path, None)
        self._positions = {problem_id: position for position, problem_id in enumerate(self._folder.ids)}
        self._waiting: dict[SampleKey, float] = {}

    def samples(self) -> Iterator[list[Sample]]:
        for _, _, samples in samples_in(self._folder):
            yield samples

    def news(self) -> list[Sample]:
        now = time.monotonic()
        keys = dict.fromkeys([*self._folder.read_on(), *self._waiting])
        found = []
        for key in keys:
            sample = sample_in(self._folder, key)
            if sample is None or (key in self.rows and sample.verdict is None):
                continue
            since = self._waiting.setdefault(key, now)
            if sample.verdict is not None or now - since >= WAIT_S:
                del self._waiting[key]
                found.append(sample)
        return found

    def text(self, key: SampleKey) -> dict[str, Any]:
        sample = sample_in(self._folder, key)
        assert sample is not None, "only samples with a response are listed"
        return sample_text(self.place, self._positions[key.problem_id], sample, sample.parts)


class _Results(_Source):
    """A `results.json` that another program made or changed: its texts are packed away as they are read."""

    watched = ("results.json",)

    def __init__(self, place: Place, run: Run) -> None:
        super().__init__(place, run)
        self.totals = Totals()
        self._texts = tempfile.TemporaryFile()  # noqa: SIM115 -- it lives as long as this
        self._offsets: dict[SampleKey, tuple[int, int]] = {}

    def samples(self) -> Iterator[list[Sample]]:
        assert self.totals is not None
        groups_of = self.place.groups_of or (lambda _: {})
        for position, (problem, samples) in enumerate(self.run.problems()):
            self.totals.add_problem(samples, groups_of(problem.row))
            for sample in samples:
                data = packed(sample_text(self.place, position, sample, sample.parts))
                self._offsets[sample.key] = (self._texts.seek(0, 2), len(data))
                self._texts.write(data)
            yield samples

    def text(self, key: SampleKey) -> dict[str, Any]:
        offset, size = self._offsets[key]
        self._texts.seek(offset)
        text: dict[str, Any] = json.loads(gzip.decompress(self._texts.read(size)))
        return text
