"""Where in an XML record does each column stand?"""

from dataclasses import dataclass, field

from pipeline.core.language.wire import XmlFormat

SEPARATOR = "}"
"""Stands between a namespace and a name, as the parser gives them: no namespace may hold it."""


@dataclass(slots=True)
class Element:
    """What is read of an element: its own text, its attributes, and elements in it. The numbers are columns'."""

    text: int | None = None
    attributes: dict[str, int] = field(default_factory=dict)
    elements: "dict[str, Element]" = field(default_factory=dict)

    def put(self, steps: list[str], column: int) -> None:
        """The column stands where `steps` lead."""
        step, *further = steps
        if step == ".":
            self.text = column
        elif step.startswith("@"):
            self.attributes[step[1:]] = column
        else:
            self.elements.setdefault(step, Element()).put(further or ["."], column)


def record_path(form: XmlFormat) -> tuple[str, ...]:
    """The full names of the elements around a record, and of the record."""
    return tuple(_full_name(step, form.namespaces) for step in form.records.split("/"))


def record_element(form: XmlFormat, columns: tuple[str, ...]) -> Element:
    """What is read of a record."""
    record = Element()
    for number, column in enumerate(columns):
        record.put([_full_name(step, form.namespaces) for step in form.fields[column].split("/")], number)
    return record


def _full_name(step: str, namespaces: dict[str, str]) -> str:
    mark = "@" * step.startswith("@")
    prefix, colon, name = step.removeprefix("@").rpartition(":")
    if not colon and (mark or step == "."):
        return step  # an attribute without a prefix is in no namespace
    namespace = namespaces.get(prefix)
    return f"{mark}{namespace}{SEPARATOR}{name}" if namespace else step
