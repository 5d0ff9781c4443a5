"""What a filing was answered: one row tells all that has happened to one consignment up to an instant.

The states are the instants that are filled: FILED, then SR or ERR; RFI and RFS ask for more; a hold blocks (CB, CD), and only the
code of its own family closes it: 6I a hold 6H or 6J, 7I and 8I likewise [inferred from the list of codes]; CO releases; loading
follows the release. The row rules are the transitions.
"""

from collections.abc import Callable

import pandera.polars as pa
import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import Rule, column, feed_schema, one_of, row_rule
from schemas.acas_rules import (
    AIR_WAYBILL,
    CARRIER,
    FLIGHT,
    LAW,
    PLACI,
    WAYBILL_KIND,
    after,
    below_a_master,
    line,
    minute,
    numbered,
    together,
    told,
)
from schemas.code_lists import AIRPORT, COUNTRY

HOLDS = {"do_not_load": "6", "information": "7", "screening": "8"}
"""Each kind of hold with the digit of its codes: do not load (CD), then the two that block (CB)."""
ANSWERS, REFERRALS, RELEASES = ("SR", "ERR"), ("RFI", "RFS"), ("SF", "6I", "7I", "8I")
STATES = ("FILED", "ERR", "CD", "CB", "CO", *REFERRALS, "SR")

_PLAIN, _QUASI = Category.PLAIN, Category.QUASI_IDENTIFIER
_UNTIL = "9999"
"""Later than every instant: what an open hold is closed at."""


def _codes(name: str, values: tuple[str, ...]) -> Rule:
    return one_of(values, name=name, meaning=" or ".join(values))


def _hold(kind: str, digit: str) -> dict[str, pa.Column]:
    source, words = f"{PLACI}: {'CD' if digit == '6' else 'CB'}", kind.replace("_", " ")
    return {
        f"{kind}_hold": column(_PLAIN, source, _codes("hold", (f"{digit}H", f"{digit}J")), title=f"Hold: {words}"),
        f"{kind}_held_at": column(_PLAIN, source, minute(), title="Since when"),
        f"{kind}_closed_by": column(_PLAIN, f"{PLACI}: CO", _codes("own-code", (f"{digit}I",)), title="Closed by"),
        f"{kind}_closed_at": column(_PLAIN, f"{PLACI}: CO", minute(), title="When"),
    }


def _for_each_hold(fine: Callable[[str], pl.Expr]) -> pl.Expr:
    return pl.all_horizontal(fine(kind) for kind in HOLDS)


def _open(kind: str) -> pl.Expr:
    return told(f"{kind}_hold") & ~told(f"{kind}_closed_at")


def _held_in_order(kind: str) -> pl.Expr:
    return together(f"{kind}_hold", f"{kind}_held_at") & after(f"{kind}_held_at", "answered_at")


def _closed_in_order(kind: str) -> pl.Expr:
    return together(f"{kind}_closed_by", f"{kind}_closed_at") & after(f"{kind}_closed_at", f"{kind}_held_at")


def _not_later_than_told() -> pl.Expr:
    instants = ["filed_at", "answered_at", "referred_at", "resolved_at", "released_at", "loaded_at"]
    instants += [f"{kind}_{end}_at" for kind in HOLDS for end in ("held", "closed")]
    return pl.all_horizontal((pl.col(name) <= pl.col("told_at")).fill_null(value=True) for name in instants)


def _not_held_at(instant: str) -> pl.Expr:
    """At the instant, where there is one, no hold is open."""
    held = [
        (pl.col(f"{kind}_held_at") <= pl.col(instant))
        & (pl.col(instant) < pl.col(f"{kind}_closed_at").fill_null(_UNTIL))
        for kind in HOLDS
    ]
    return ~pl.any_horizontal(hold.fill_null(value=False) for hold in held)


def _state() -> pl.Expr:
    """What the instants say, the gravest first."""
    state = (
        pl.when(~told("answered_at")).then(pl.lit("FILED"))
        .when(pl.col("answer") == "ERR").then(pl.lit("ERR"))
        .when(_open("do_not_load")).then(pl.lit("CD"))
        .when(_open("information") | _open("screening")).then(pl.lit("CB"))
        .when(told("released_at")).then(pl.lit("CO"))
    )  # fmt: skip
    return state.when(told("referred_at") & ~told("resolved_at")).then(pl.col("referral")).otherwise(pl.lit("SR"))


def _release_is_its_own() -> pl.Expr:
    """SF, or the code that closed a hold of this row."""
    closing = [(pl.col("release") == pl.col(f"{kind}_closed_by")).fill_null(value=False) for kind in HOLDS]
    return ~told("release") | (pl.col("release") == "SF") | pl.any_horizontal(closing)


def _an_error_ends() -> pl.Expr:
    further = ["referral", "release", "loaded_at", *(f"{kind}_hold" for kind in HOLDS)]
    return (pl.col("answer") == "SR").fill_null(value=False) | ~pl.any_horizontal(told(name) for name in further)


SCHEMA = feed_schema(
    "acas-status",
    "1",
    {
        "told_at": column(_PLAIN, "FSN", minute(), required=True, title="When this was told"),
        "filer": column(_PLAIN, "19 CFR 122.48b(c)", CARRIER, required=True, title="Who filed"),
        "flight_carrier": column(_PLAIN, "FLT of the filing", CARRIER, required=True, title="Carrier"),
        "flight_number": column(_PLAIN, "FLT of the filing", FLIGHT, required=True, title="Flight number"),
        "departure_airport": column(_PLAIN, "RTG of the filing", AIRPORT, required=True, title="Last foreign airport"),
        "departure_country": column(_PLAIN, "RTG of the filing", COUNTRY, required=True, title="Its country"),
        "waybill_kind": column(_PLAIN, f"{LAW}: waybill", WAYBILL_KIND, required=True, title="House or simple"),
        "waybill": column(_QUASI, f"{LAW}: waybill", *line(12), required=True, title="Waybill"),
        "master_waybill": column(_QUASI, f"{LAW}: master waybill", AIR_WAYBILL, title="Master waybill"),
        "status": column(_PLAIN, PLACI, _codes("status", STATES), required=True, title="Status"),
        "filed_at": column(_PLAIN, "FRI", minute(), required=True, title="Filed"),
        "answer": column(_PLAIN, f"{PLACI}: SR; FER", _codes("answer", ANSWERS), title="Received, or in error"),
        "answered_at": column(_PLAIN, f"{PLACI}: SR; FER", minute(), title="Answered"),
        "referral": column(_PLAIN, f"{PLACI}: RFI, RFS", _codes("referral", REFERRALS), title="Asked for"),
        "referred_at": column(_PLAIN, f"{PLACI}: RFI, RFS", minute(), title="Asked when"),
        "resolved_at": column(_PLAIN, "19 CFR 122.48b(e): referrals are resolved", minute(), title="Resolved"),
        **{name: said for kind, digit in HOLDS.items() for name, said in _hold(kind, digit).items()},
        "release": column(_PLAIN, f"{PLACI}: CO", _codes("release", RELEASES), title="Released by"),
        "released_at": column(_PLAIN, f"{PLACI}: CO", minute(), title="Released"),
        "loaded_at": column(_PLAIN, "19 CFR 122.48b(b): prior to loading", minute(), title="Loaded"),
        "reason": column(Category.FREE_TEXT, "targeting's own: exempt from disclosure", *line(450), title="Why it was held"),
        "risk_score": column(Category.SENSITIVE, "targeting's own: exempt from disclosure", *line(8), title="Score"),
        "analyst": column(Category.DIRECT_IDENTIFIER, "targeting's own", *line(70), title="Who looked at it"),
    },
    unique=("waybill", "master_waybill", "flight_carrier", "flight_number", "told_at"),
    row_rules=(
        row_rule("waybill-as-its-kind", numbered(), "a simple waybill has a check digit; a house's is up to 12 signs"),
        row_rule("master-of-a-house", below_a_master(), "a house waybill names its master, a simple one has none"),
        row_rule(
            "answered-once-filed",
            together("answer", "answered_at") & after("answered_at", "filed_at"),
            "FILED, then SR or ERR",
        ),
        row_rule("an-error-ends-it", _an_error_ends(), "nothing follows what is not received: it must be filed again"),
        row_rule(
            "referred-once-received",
            together("referral", "referred_at")
            & after("referred_at", "answered_at")
            & after("resolved_at", "referred_at"),
            "SR, then RFI or RFS, then resolved",
        ),
        row_rule("held-once-received", _for_each_hold(_held_in_order), "SR, then a hold"),
        row_rule(
            "closed-once-held", _for_each_hold(_closed_in_order), "a hold, then the code of its own that closes it"
        ),
        row_rule(
            "released-once-received",
            together("release", "released_at") & after("released_at", "answered_at") & _release_is_its_own(),
            "SR, then SF or the code that closed a hold",
        ),
        row_rule(
            "no-release-under-a-referral",
            ~told("released_at") | ~told("referred_at") | after("released_at", "resolved_at"),
            "what was asked for is resolved first",
        ),
        row_rule("no-release-under-a-hold", _not_held_at("released_at"), "every hold is closed first"),
        row_rule("no-load-before-release", after("loaded_at", "released_at"), "CO, then loaded"),
        row_rule("no-load-under-a-hold", _not_held_at("loaded_at"), "nor while a later hold is open"),
        row_rule("nothing-later-than-told", _not_later_than_told(), "told of what has happened"),
        row_rule("status-is-what-the-times-say", pl.col("status") == _state(), "the gravest state that is open"),
    ),
)  # fmt: skip
