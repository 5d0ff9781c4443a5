"""What do outcomes and statistics of preclearance have in common?"""

from pipeline.core.schema import Rule, matches, one_of

LOCATIONS = (
    *("YYC", "YEG", "YHZ", "YUL", "YOW", "YYZ", "YVR", "YWG"),
    *("AUA", "BDA", "NAS", "FPO", "DUB", "SNN", "AUH"),
)
"""Airports with preclearance: the eight Canadian ones, then others [memory]."""
DESIGN = "design: preclearance outcome"

LOCATION = one_of(LOCATIONS, name="location", meaning="an airport with preclearance")
CARRIER = matches("[A-Z0-9]{2}|[A-Z]{3}", name="carrier", meaning="an IATA or ICAO designator")
FLIGHT = matches("[0-9]{1,4}[A-Z]?", name="flight-number", meaning="1 to 4 digits and perhaps a letter")
COUNT = matches("0|[1-9][0-9]{0,5}", name="count", meaning="0 to 999999")
ONE_LINE = Rule("one-line", lambda cell: ~cell.str.contains("\n", literal=True), "no line end inside the cell")
