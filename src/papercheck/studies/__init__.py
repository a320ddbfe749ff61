"""What can be computed for one study beyond the general checks: one module a study."""

from ..from_answers import reproduce_ecsi, reproduce_hair2021
from . import aydin2005, demidio2013, electricity_mlogit, khan2012, kim2004, toledo2016

STUDIES = {
    "aydin2005": aydin2005.reproduce,
    "demidio2013": demidio2013.reproduce,
    "ecsi_mobi": reproduce_ecsi,
    "electricity_mlogit": electricity_mlogit.reproduce,
    "hair2021_corp_rep": reproduce_hair2021,
    "khan2012": khan2012.reproduce,
    "kim2004": kim2004.reproduce,
    "toledo2016": toledo2016.reproduce,
}
#: Studies whose numbers are computed from people's answers alone: no other printed number enters.
FROM_ANSWERS = ("ecsi_mobi", "electricity_mlogit", "hair2021_corp_rep")
__all__ = ["FROM_ANSWERS", "STUDIES"]
