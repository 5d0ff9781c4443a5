"""Synthetic exchanges against serious crime: queries, replies, what follows a hit, what is supplied unasked, corrections."""

import base64
import random
import re
from datetime import date, timedelta
from itertools import count, islice

from samples.nist import print_4, print_9, print_14, reference
from samples.nist import transaction as written
from samples.small_lists import FIRST_DAY, Row, SmallList, birth_date, capitals, day, given, hexadecimal, surname
from schemas import pcsc_correction, pcsc_followup, pcsc_query, pcsc_response, pcsc_spontaneous

_PLACES = ("ALTBRUCK", "NORDHAFEN", "PORTO VELLO", "DOLNY BROD", "ZUIDWIJK")
_CIRCUMSTANCES = (
    "Convicted in first instance of support of a group",
    "Seen at a training camp by two sources",
    "Bought precursors under another name",
)
_COUNTRIES = ("DEU", "NLD", "FRA", "TUR", "MAR")
_DECIDED = FIRST_DAY + timedelta(days=20)


def transaction(country: str, on: date, number: int) -> str:
    return f"{country}-{on:%Y%m%d}-{number + 1:06d}"


def _minute(chance: random.Random, on: date, minutes: tuple[int, ...] = tuple(range(60))) -> str:
    return f"{on}T{chance.randrange(24):02d}:{chance.choice(minutes):02d}Z"


def template(chance: random.Random) -> str:
    """A finger minutiae record of noise: the head of ISO/IEC 19794-2, and nobody's prints."""
    return base64.b64encode(b"FMR\0 20\0" + chance.randbytes(240)).decode()


def prints(chance: random.Random) -> bytes:
    """A record of prints of type 4, 9 or 14: noise."""
    match chance.randrange(3):
        case 0:
            return print_4(1, chance.randbytes(240))
        case 1:
            return print_9(1, {12: f"{chance.randrange(10**8):08d}"})
        case _:
            return print_14(1, image=chance.randbytes(240))


def transaction_of(row: Row) -> bytes:
    """The query in ANSI/NIST-ITL. What it tells beyond its columns is in field 2.018."""
    records = base64.b64decode(row["template"])
    kind = {b"9.": 9, b"14": 14}.get(records[:2], 4)
    first = {1: "", 4: row["transaction_type"], 9: row["tcn"], 14: re.sub("[^0-9Z]", "", row["asked_at"])}
    text = {3: row["case_number"], 4: row["offence"], 5: row["aim"], 6: row["asked_by"], 7: row["modality"]}
    more = [cell for name, cell in row.items() if name not in pcsc_query.SCHEMA.columns]
    text |= dict(enumerate(more, 18))
    return written(
        {number: cell for number, cell in first.items() if cell}, [(2, 0, reference(text)), (kind, 1, records)]
    )


def _query(chance: random.Random, number: int) -> Row:
    on = day(chance)
    return {
        "tcn": transaction("DEU", on, number),
        "transaction_type": chance.choice(pcsc_query.TRANSACTION_TYPES),
        "modality": "FINGERPRINT",
        "asked_by": "DEU",
        "case_number": f"KR-2026-{chance.randrange(1, 9999)}",
        "offence": chance.choice(pcsc_query.OFFENCES[:13]),
        "aim": chance.choice(pcsc_query.AIMS),
        "asked_at": _minute(chance, on).replace("Z", f":{chance.randrange(60):02d}Z"),
        "template": base64.b64encode(prints(chance)).decode(),
    }


def _answered(number: int) -> tuple[date, str, str]:
    """When, to whom and how the reply of this number is given: the same in every list, so that a request is after its hit."""
    chance = random.Random(number)
    asked, asker = day(chance), chance.choice(("DEU", "DEU", "NLD"))
    return asked, asker, chance.choices(pcsc_response.RESULTS, weights=(2, 7, 1))[0]


def _hit(number: int) -> tuple[date, int]:
    """The day and the number of Germany's hit of this number."""
    hits = (one for one in count() if _answered(one)[1:] == ("DEU", "HIT"))
    found = next(islice(hits, number, None))
    return _answered(found)[0], found


def _reply(chance: random.Random, number: int) -> Row:
    asked, asker, result = _answered(number)
    return {
        "tcn": transaction("USA", asked, number),
        "tcr": transaction(asker, asked, number),
        "asked_by": asker,
        "result": result,
        "candidate_ref": hexadecimal(chance, 32),
        "untraceable": "Y" if result == "HIT" and chance.random() < 0.2 else "N",
        "match_score": f"{chance.randrange(10_000):04d}",
        "responded_at": _minute(chance, asked, (0, 15, 30, 45)),
    }


def _supplied_after_a_hit(chance: random.Random, number: int) -> Row:
    (hit, replied), born = _hit(number), birth_date(chance)
    special = chance.random() < 0.2
    return {
        "request_number": transaction("DEU", hit, 900 + number),
        "hit_tcn": transaction("USA", hit, replied),
        "requested_by": "DEU",
        "case_number": f"KR-2026-{chance.randrange(1, 9999)}",
        "legal_basis": chance.choice(pcsc_followup.BASES),
        "authority": f"AG-{chance.randrange(1, 99)}",
        "decided_on": f"{day(chance, first=hit, days=9)}",
        "surname": surname(chance),
        "given_names": given(chance),
        "birth_date": f"{born}",
        "birth_place": chance.choice(_PLACES),
        "nationalities": "\n".join(chance.sample(_COUNTRIES, chance.randint(1, 2))),
        "document_numbers": capitals(chance, 9),
        "special_category": "Y" if special else "N",
        "relevance": "The motive of the offence" if special else "",
        "record": chance.choice(_CIRCUMSTANCES),
        "internal_notes": f"Sourced from desk {chance.randrange(100, 999)}",
    }


def _supplied_unasked(chance: random.Random, number: int) -> Row:
    on, source, information = day(chance), chance.choice("ABC"), chance.choice("123")
    special = chance.random() < 0.2
    return {
        "tcn": transaction("DEU", on, 500 + number),
        "supplied_by": "DEU",
        "supplied_at": _minute(chance, on),
        "ground": chance.choice(pcsc_spontaneous.GROUNDS[:3]),
        "surname": surname(chance),
        "first_names": given(chance),
        "former_names": surname(chance) if chance.random() < 0.3 else "",
        "aliases": "\n".join(surname(chance) for _ in range(chance.randint(0, 2))),
        "spellings": surname(chance) if chance.random() < 0.5 else "",
        "sex": chance.choice("FM"),
        "birth_date": f"{birth_date(chance)}",
        "birth_place": chance.choice(_PLACES),
        "nationalities": chance.choice(_COUNTRIES),
        "passport_numbers": capitals(chance, 9),
        "fingerprints": template(chance) if chance.random() < 0.5 else "",
        "circumstances": chance.choice(_CIRCUMSTANCES),
        "conditions": "\n".join(chance.sample(pcsc_spontaneous.CONDITIONS, chance.randint(0, 2))),
        "source_evaluation": source,
        "information_evaluation": information,
        "marking": f"TLP:AMBER+STRICT | ORCON pcsc-contact-de | 4x4 {source}{information}",
        "special_category": "Y" if special else "N",
        "relevance": "The group recruits by creed" if special else "",
    }


def _correction(chance: random.Random, number: int) -> Row:
    on, decided, action = day(chance), day(chance, first=_DECIDED, days=5), chance.choice(pcsc_correction.ACTIONS)
    corrects = action == "CORRECT"
    return {
        "tcn": transaction("DEU", decided, 700 + number),
        "supplied_tcn": transaction("DEU", on, 500 + number),
        "supplied_by": "DEU",
        "action": action,
        "field": "birth_date" if corrects else "",
        "corrected": f"{birth_date(chance)}" if corrects else "",
        "reason": chance.choice(pcsc_correction.REASONS),
        "decided_at": _minute(chance, decided),
        "decided_by": f"{given(chance)} {surname(chance)}",
    }


QUERIES = SmallList(
    pcsc_query.SCHEMA,
    _query,
    (
        {"offence": "JAYWALKING"},
        {"case_number": "see the file"},
        {"tcn": "DEU-20261101-1"},
        {"tcn": "USA-20261101-000001"},
        {"modality": "DNA", "aim": "PREVENTION"},
    ),
    transaction_of,
)
REPLIES = SmallList(
    pcsc_response.SCHEMA,
    _reply,
    (
        {"result": "MAYBE"},
        {"candidate_ref": ""},
        {"responded_at": "2026-11-03T10:07Z"},
        {"result": "NO_HIT", "untraceable": "Y"},
        {"asked_by": "FRA"},
    ),
)
FOLLOW_UPS = SmallList(
    pcsc_followup.SCHEMA,
    _supplied_after_a_hit,
    ({"legal_basis": ""}, {"authority": ""}, {"hit_tcn": ""}, {"decided_on": "2026-10-01"}, {"requested_by": "FRA"}),
)
SPONTANEOUS = SmallList(
    pcsc_spontaneous.SCHEMA,
    _supplied_unasked,
    (
        {"source_evaluation": "Z"},
        {"conditions": "NOT_AT_ALL"},
        {"circumstances": ""},
        {"birth_date": "2026-12-24"},
        {"marking": "TLP:AMBER+STRICT | ORCON pcsc-contact-de"},
    ),
)
CORRECTIONS = SmallList(
    pcsc_correction.SCHEMA,
    _correction,
    (
        {"action": "CORRECT", "corrected": ""},
        {"action": "DELETE", "corrected": "new facts"},
        {"supplied_tcn": "NLD-20261101-000001"},
        {"field": "shoe_size"},
        {"reason": ""},
    ),
)
