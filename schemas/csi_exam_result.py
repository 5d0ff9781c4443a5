"""Results of examinations: one row is what the host answers to one referral. The host decides: it may refuse, with a reason."""

import polars as pl

from pipeline.core.language.category import Category
from pipeline.core.schema import at_most, column, each_line_matches, feed_schema, matches, one_of
from pipeline.core.schema import row_rule as rule
from schemas import csi_cargo as cargo
from schemas.csi_referral import EXAMS, PATTERN, REFERRAL

TIME = cargo.utc_time()
RESULTS = ("CLEAR", "ANOMALY", "DNL", "TRANSFER")
REFUSALS = ("HOST_DECISION", "ALREADY_EXAMINED", "ALREADY_LADEN", "NOT_FOUND", "NO_CAPACITY")
ROLES = ("INSPECTOR", "IMAGE_ANALYST", "SUPERVISOR")

COLUMNS = {
    "referral_no": column(Category.PLAIN, PATTERN, REFERRAL, required=True, title="The referral that is answered"),
    "container": column(Category.PLAIN, PATTERN, cargo.CONTAINER, required=True, title="Container"),
    "result": column(
        Category.SENSITIVE,
        PATTERN,
        one_of(RESULTS, name="result", meaning="CLEAR, ANOMALY, DNL (do not load) or TRANSFER"),
        title="Result of the examination",
    ),
    "refused_reason": column(
        Category.SENSITIVE,
        f"{PATTERN}; the codes are ours",
        one_of(REFUSALS, name="refused-reason", meaning="why it was not examined"),
        title="Why it was not examined",
    ),
    "exams_done": column(
        Category.PLAIN,
        PATTERN,
        each_line_matches("|".join(EXAMS), name="exams", meaning="NII, RIID or PHYS, one a line"),
        title="Examinations that were done",
    ),
    "image_ref": column(
        Category.PLAIN,
        PATTERN,
        matches("IMG-[A-Z0-9]{4,32}", name="image-ref", meaning="IMG- and up to 32 capitals or digits"),
        title="Reference of the image",
    ),
    "radiation_alarm": column(
        Category.SENSITIVE, PATTERN, one_of(("Y", "N"), name="yes-or-no", meaning="Y or N"), title="Radiation alarm"
    ),
    "host_officer_role": column(
        Category.PLAIN, PATTERN, one_of(ROLES, name="role", meaning="a role"), required=True, title="Role of who signed"
    ),
    "host_officer_name": column(
        Category.DIRECT_IDENTIFIER, "provider's own record", at_most(70), cargo.ONE_LINE, title="A natural person"
    ),
    "completed_at": column(Category.PLAIN, PATTERN, TIME, required=True, title="When it was done, or refused"),
}

_result, _done = pl.col("result"), pl.col("exams_done")
ROW_RULES = (
    rule(
        "result-or-refusal",
        _result.is_null() != pl.col("refused_reason").is_null(),
        "either a result, or why there is none",
    ),
    rule(
        "examined-somehow",
        _result.is_null() == _done.is_null(),
        "a result comes from an examination, and an examination has a result",
    ),
    rule(
        "image-of-a-scan",
        pl.col("image_ref").is_null() | _done.str.contains("NII", literal=True),
        "an image comes from a scan (NII)",
    ),
    rule(
        "no-clear-under-an-alarm",
        ~((_result == "CLEAR") & (pl.col("radiation_alarm") == "Y")).fill_null(value=False)
        | _done.str.contains("RIID|PHYS"),
        "after a radiation alarm nothing is clear before somebody has looked [design]",
    ),
)

SCHEMA = feed_schema("csi-exam-result", "1", COLUMNS, unique=["referral_no"], row_rules=ROW_RULES)
