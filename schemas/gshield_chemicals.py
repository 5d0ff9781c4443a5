"""Which fourteen chemicals are watched, under which headings of the Harmonized System, and when is one identified?

The names are the World Customs Organization's list [memory]; that the headings exist with this meaning was looked up in the
Harmonized System 2022 [found], except the paste of aluminium's [uncertain]. A basket is a heading that holds other goods too.
"""

from dataclasses import dataclass

import pandera.polars as pa
import polars as pl

from pipeline.core.identifiers import cas_number, undg_number
from pipeline.core.language.category import Category
from pipeline.core.schema import Rule, at_most, column, matches, one_of, row_rule
from schemas.code_lists import SUBHEADING


@dataclass(frozen=True, slots=True)
class Chemical:
    """One of the fourteen. `spelled`: how a name says it, in lower case (Rust regex). `un_numbers`: from memory."""

    name: str
    cas: str
    headings: tuple[str, ...]
    spelled: str
    un_numbers: tuple[str, ...] = ()


CHEMICALS = (
    Chemical("acetic anhydride", "108-24-7", ("291524",), "acetic anhydride", ("1715",)),
    Chemical("acetone", "67-64-1", ("291411",), "acetone", ("1090",)),
    Chemical(
        "aluminium powder",
        "7429-90-5",
        ("760310", "760320", "321290"),
        "alumini?um (?:powder|flakes?|paste)",
        ("1309", "1396"),
    ),
    Chemical("ammonium nitrate", "6484-52-2", ("310230",), "ammonium nitrate", ("1942", "2067")),
    Chemical("calcium ammonium nitrate", "15245-12-2", ("310240", "310260"), "calcium ammonium nitrate"),
    Chemical("hydrogen peroxide", "7722-84-1", ("284700",), "hydrogen peroxide", ("2014", "2015", "2984")),
    Chemical("nitric acid", "7697-37-2", ("280800",), "nitric acid", ("2031", "2032")),
    Chemical("nitromethane", "75-52-5", ("290420",), "nitromethane", ("1261",)),
    Chemical("potassium chlorate", "3811-04-9", ("282919",), "potassium chlorate", ("1485", "2427")),
    Chemical("potassium nitrate", "7757-79-1", ("283421",), "potassium nitrate", ("1486",)),
    Chemical("potassium perchlorate", "7778-74-7", ("282990",), "potassium perchlorate", ("1489",)),
    Chemical("sodium chlorate", "7775-09-9", ("282911",), "sodium chlorate", ("1495", "2428")),
    Chemical("sodium nitrate", "7631-99-4", ("310250",), "sodium nitrate", ("1498",)),
    Chemical("urea", "57-13-6", ("310210",), "urea"),
)
BASKETS = ("282919", "282990", "290420", "321290")
UNITS = {"KGM": 1.0, "TNE": 1000.0, "GRM": 0.001}
"""UN/ECE recommendation 20: kilograms in one of each."""
LITRE = "LTR"

_WATCHED = [chemical.cas for chemical in CHEMICALS]
_PAIRS = [f"{chemical.cas} {heading}" for chemical in CHEMICALS for heading in chemical.headings]
_OWN_HEADINGS = sorted({heading for one in CHEMICALS for heading in one.headings} - set(BASKETS))
_NUMBERED = [f"{chemical.cas} {number}" for chemical in CHEMICALS for number in chemical.un_numbers]
_NUMBERS = [number for chemical in CHEMICALS for number in chemical.un_numbers]
_WITH_NUMBERS = [chemical.cas for chemical in CHEMICALS if chemical.un_numbers]

ONE_LINE = Rule("one-line", lambda cell: ~cell.str.contains("\n", literal=True), "no line end inside the cell")


def amount(*, name: str = "amount") -> Rule:
    """So much of a unit: no sign, no exponent, at most six decimals."""
    return matches(r"(?:0|[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?", name=name, meaning="a number such as 1250 or 0.5")


def chemical_columns(*, quantity_required: bool = True) -> dict[str, pa.Column]:
    """What it is and how much of it, as each of the programme's feeds says it."""
    return {
        "chemical_name": column(
            Category.PLAIN, "CENcomm pattern [memory]", at_most(70), ONE_LINE, title="The chemical's name as declared"
        ),
        "cas": column(Category.PLAIN, "CAS registry", cas_number(), title="CAS registry number"),
        "hs6": column(
            Category.PLAIN,
            "Harmonized System 2022 [found]",
            SUBHEADING,
            required=True,
            title="Subheading of the Harmonized System",
        ),
        "un_number": column(
            Category.PLAIN, "UN Model Regulations, 3.2", undg_number(), title="UN number of the dangerous good"
        ),
        "quantity": column(
            Category.PLAIN,
            "CENcomm pattern [memory]",
            amount(),
            required=quantity_required,
            title="Net quantity as declared",
        ),
        "unit": column(
            Category.PLAIN,
            "UN/ECE recommendation 20",
            one_of((*UNITS, LITRE), name="unit", meaning="KGM, TNE, GRM or LTR"),
            required=quantity_required,
            title="Unit of the declared quantity",
        ),
        "quantity_kg": column(
            Category.PLAIN,
            "ours, so that quantities add up [design]",
            amount(),
            required=quantity_required,
            title="The same in kilograms",
        ),
    }


_hs, _cas, _number = pl.col("hs6"), pl.col("cas"), pl.col("un_number")
_name = pl.col("chemical_name").str.to_lowercase()
_quantity, _kilograms = (pl.col(name).cast(pl.Float64, strict=False) for name in ("quantity", "quantity_kg"))
_factor = pl.col("unit").replace_strict(list(UNITS), list(UNITS.values()), default=None, return_dtype=pl.Float64)


def _named_in(basket: str) -> pl.Expr:
    """The name says one of the chemicals of this basket, as a word of its own."""
    spelled = "|".join(chemical.spelled for chemical in CHEMICALS if basket in chemical.headings)
    return (_hs == basket) & _name.str.contains(rf"(?:^|[^a-z])(?:{spelled})(?:[^a-z]|$)")


CHEMICAL_RULES = (
    row_rule(
        "needs-identification",
        ~_hs.is_in(BASKETS).fill_null(value=False)
        | _cas.is_not_null()
        | pl.any_horizontal(_named_in(basket) for basket in BASKETS).fill_null(value=False),
        "a heading that holds other goods too needs the CAS number, or the chemical's name",
    ),
    row_rule(
        "cas-under-its-heading",
        _cas.is_null()
        | _hs.is_null()
        | (~_cas.is_in(_WATCHED) & ~_hs.is_in(_OWN_HEADINGS))
        | pl.concat_str(_cas, pl.lit(" "), _hs).is_in(_PAIRS),
        "one of the fourteen stands under its own heading, and nothing else does where the heading is its alone",
    ),
    row_rule(
        "un-number-of-the-chemical",
        _cas.is_null()
        | _number.is_null()
        | (~_cas.is_in(_WITH_NUMBERS) & ~_number.is_in(_NUMBERS))
        | pl.concat_str(_cas, pl.lit(" "), _number).is_in(_NUMBERED),
        "the UN number is the chemical's [memory]",
    ),
    row_rule(
        "kilograms-agree",
        pl.col("quantity").is_null()
        | ((pl.col("unit") == LITRE) & (_kilograms >= _quantity * 0.5) & (_kilograms <= _quantity * 3))
        | ((_kilograms - _quantity * _factor).abs() <= 0.001),
        "the kilograms are the declared quantity; of litres, at a density from 0.5 to 3 [design]",
    ),
)
"""The chemical is identified, its numbers agree, and its kilograms are what was declared."""
