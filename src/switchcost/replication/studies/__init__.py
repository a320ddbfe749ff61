"""What can be computed for one study beyond the general checks: one function a study."""

from ..from_answers import reproduce_ecsi, reproduce_hair2021

STUDIES = {
    "ecsi_mobi": reproduce_ecsi,
    "hair2021_corp_rep": reproduce_hair2021,
}
__all__ = ["STUDIES"]
