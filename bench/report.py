"""How every bench reports: a table for people, and with `--json` one last line for machines."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Aim:
    """What a figure should reach: at least or at most a limit."""

    limit: float
    at_most: bool = False

    def met_by(self, figure: float) -> bool:
        """Tell whether a figure reaches it."""
        return figure <= self.limit if self.at_most else figure >= self.limit

    def __str__(self) -> str:
        """Write it as a person would."""
        return f"{'<=' if self.at_most else '>='} {self.limit:g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one bench: figures by name, the aims of some of them, and notes for the reader."""

    name: str
    figures: Mapping[str, float]
    aims: Mapping[str, Aim]
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def met(self) -> bool:
        """Whether every aim is reached."""
        return all(aim.met_by(self.figures[name]) for name, aim in self.aims.items())

    def table(self) -> str:
        """Lay out the figures, one a line, with their aims and whether they are met."""
        width = max(len(name) for name in self.figures)
        lines = [f"bench.{self.name}"]
        for name, figure in self.figures.items():
            aim = self.aims.get(name)
            verdict = f"   aim {aim}: {'met' if aim.met_by(figure) else 'MISSED'}" if aim else ""
            lines.append(f"  {name:<{width}}  {figure:>12,.3f}{verdict}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes)])

    def line(self) -> str:
        """Write everything a machine needs on one line of JSON."""
        aims = {name: str(aim).replace(" ", "") for name, aim in self.aims.items()}
        return json.dumps({"name": self.name, "figures": dict(self.figures), "aims": aims, "met": self.met})


def conclude(report: Report, *, as_json: bool) -> None:
    """Print a report and end the process: 0 when its aims are met, 1 when not."""
    print(report.table())
    if as_json:
        print(report.line())
    sys.exit(0 if report.met else 1)
