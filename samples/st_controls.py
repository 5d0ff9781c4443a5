"""What a synthetic project and its deliverables have in common: export control, banner, shares."""

import random

Row = dict[str, str | None]

AGENCY = "Example Science Directorate"
_OPEN = "TLP:CLEAR"
_LIMITS = {"DEU": "REL TO USA, DEU", "NLD": "REL TO USA, NLD"}


def banner(*categories: str, party: str | None) -> str:
    """A banner that lets `party` have it, or nobody foreign."""
    said = "/".join(sorted(categories, key=lambda name: (not name.startswith("SP-"), name)))
    return f'CUI//{said}//{_LIMITS[party] if party else "NOFORN"} | DESIGNATED BY "{AGENCY}"'


def controls(draw: random.Random, party: str) -> Row:
    """The shared columns of one row: open, confidential, controlled with or without a licence, or about human subjects."""
    row: Row = {
        "ip_class": "FOREGROUND",
        "ip_share_ours": "50",
        "ip_share_partner": "50",
        "publication_status": "PUBLISHED",
        "publication_review_due": "2026-12-01",
        "export_control": "EAR99",
        "eccn": None,
        "usml_category": None,
        "export_license": None,
        "foreign_release": "Y",
        "human_subjects": "N",
        "assessment": None,
        "marking": _OPEN,
    }
    kind = draw.choices(
        ("open", "review", "confidential", "licensed", "held", "itar", "subjects"), (8, 4, 4, 3, 2, 1, 2)
    )[0]
    if kind == "open":
        return row
    row |= {"publication_status": draw.choice(("NOT_PLANNED", "IN_REVIEW")), "marking": "TLP:GREEN"}
    if kind == "review":
        row |= {"ip_share_ours": None, "ip_share_partner": None}
    elif kind == "confidential":
        row |= {"ip_class": "BUSINESS_CONFIDENTIAL", "marking": banner("PROPIN", party=party)}
    elif kind == "licensed":
        row |= {"export_control": "ECCN", "eccn": "3A001.b", "export_license": f"D{draw.randrange(10**6):06}"}
        row["marking"] = banner("EXPT", party=party)
    elif kind == "held":
        row |= {
            "export_control": "ECCN",
            "eccn": "5A002",
            "foreign_release": "N",
            "marking": banner("EXPT", party=None),
        }
    elif kind == "itar":
        row |= {"export_control": "ITAR", "usml_category": "XI", "foreign_release": "N"}
        row["marking"] = banner("EXPT", party=None)
    else:
        row |= {"human_subjects": "Y", "assessment": f"DPIA-{draw.randrange(10**4):04}"}
    return row


BROKEN: tuple[Row, ...] = (
    {"marking": "TLP:GREEN", "export_control": "ECCN", "eccn": "3A001", "export_license": "D000001"},
    {"marking": "TLP:GREEN", "ip_class": "BUSINESS_CONFIDENTIAL", "publication_status": "IN_REVIEW"},
    {"ip_share_ours": None, "publication_status": "CLEARED"},
    {"ip_share_ours": "60", "ip_share_partner": "60"},
    {"human_subjects": "Y", "assessment": None},
    {"title": None},
    {"export_control": "NONE"},
)
"""What can be wrong with a row: these cells instead of its own. Their banners can all be read."""
