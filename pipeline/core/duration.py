"""When does a clock that an agreement sets run out?"""

import calendar
import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

_SHAPE = re.compile(
    r"P(?=.)(?:(?P<years>\d{1,3})Y)?(?:(?P<months>\d{1,4})M)?(?:(?P<days>\d{1,5})D)?"
    r"(?:T(?=.)(?:(?P<hours>\d{1,5})H)?(?:(?P<minutes>\d{1,5})M)?)?",
    re.ASCII,
)


def _checked(text: str) -> str:
    if not _SHAPE.fullmatch(text):
        raise ValueError("must be an ISO 8601 duration such as P6M, P5Y or PT24H")
    return text


Duration = Annotated[
    str, AfterValidator(_checked), Field(json_schema_extra={"pattern": "^P[0-9YMDTH]+$", "examples": ["P6M", "PT24H"]})
]
"""An ISO 8601 duration in years, months, days, hours and minutes: `P6M`, `P5Y`, `PT24H`."""


def after(start: datetime, duration: Duration) -> datetime:
    """The instant `duration` after `start`, by the calendar: 31 August + P6M is the last day of February."""
    found = _SHAPE.fullmatch(duration)
    if found is None:
        raise ValueError("not an ISO 8601 duration")
    part = {name: int(text or 0) for name, text in found.groupdict().items()}
    month_index = start.year * 12 + start.month - 1 + part["years"] * 12 + part["months"]
    year, month = month_index // 12, month_index % 12 + 1
    day = min(start.day, calendar.monthrange(year, month)[1])
    return start.replace(year=year, month=month, day=day) + timedelta(
        days=part["days"], hours=part["hours"], minutes=part["minutes"]
    )
