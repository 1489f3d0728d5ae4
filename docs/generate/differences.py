"""Finds what the page of differences says about an operation."""

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Difference:
    """One heading of the page, and all that stands under it."""

    heading: str
    text: str

    @property
    def anchor(self) -> str:
        """The anchor that a link leads to."""
        return re.sub(r"[^\w\- ]", "", self.heading.lower()).replace(" ", "-")

    def is_about(self, operation: str) -> bool:
        """Tell whether it names the operation."""
        return re.search(rf"\b{operation}\b", f"{self.heading}\n{self.text}") is not None


def read_differences(page: Path) -> list[Difference]:
    """Return the differences in the order of the page; what is not there at all is none."""
    sections = re.split(r"^### ", page.read_text(), flags=re.MULTILINE)[1:]
    # The last of a chapter ends where the next chapter begins.
    texts = [re.split(r"^## ", section, flags=re.MULTILINE)[0] for section in sections]
    return [Difference(*text.split("\n", 1)) for text in texts]
