"""What do outcomes and statistics of preclearance have in common?"""

from pipeline.core.schema import Rule, listed, matches

DESIGN = "design: preclearance outcome"

LOCATION = listed("preclearance-airports-v1", name="location", meaning="an airport with preclearance")
CARRIER = matches("[A-Z0-9]{2}|[A-Z]{3}", name="carrier", meaning="an IATA or ICAO designator")
FLIGHT = matches("[0-9]{1,4}[A-Z]?", name="flight-number", meaning="1 to 4 digits and perhaps a letter")
COUNT = matches("0|[1-9][0-9]{0,5}", name="count", meaning="0 to 999999")
ONE_LINE = Rule("one-line", lambda cell: ~cell.str.contains("\n", literal=True), "no line end inside the cell")
