"""Which encoding a text file is in: guessed by charset-normalizer, believed only where the result can be a text."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..core.errors import DataError

_HIGH = re.compile(rb"[\x80-\xff]+")


def _pairs(raw: bytes, common: str, allowed: str, share: float) -> bool:
    """Most two-byte characters have a first byte in ``common``, and the rest one in ``allowed``."""
    leads = [m[0] for m in re.findall(rb"[\x81-\xfe][\x40-\xfe]", raw)]
    if any(len(run) % 2 for run in _HIGH.findall(raw)) and not re.search(rb"[\x81-\xfe][\x40-\x7e]", raw):
        return False  # a single high byte between ASCII is an accented letter, not half a character
    inside = [len(re.findall(f"[{c}]", "".join(map(chr, leads)))) for c in (common, common + allowed)]
    return bool(leads) and inside[0] >= share * len(leads) and inside[1] >= 0.98 * len(leads)


def _chinese(raw: bytes) -> bool:
    # The 3,755 common characters begin with B0 to D7; accented Latin letters in pairs begin with E0 to FF.
    # Their second bytes begin with A1, too; in Big5 many are ASCII. Hangul begins with B0 to C8 and nothing else.
    pairs = re.findall(rb"[\x81-\xfe][\x40-\xfe]", raw)
    common = [p for p in pairs if (0xB0 <= p[0] <= 0xD7 or 0xA1 <= p[0] <= 0xA3) and p[1] >= 0xA1]
    words = [p for p in pairs if p[0] >= 0xB0]
    hangul = len(words) >= 4 and all(p[0] <= 0xC8 and p[1] >= 0xA1 for p in words)
    return _pairs(raw, "\x81-\xfe", "", 0.7) and len(common) >= 0.5 * len(pairs) and not hangul


def _traditional(raw: bytes) -> bool:
    low = re.findall(rb"[\xa1-\xc6][\x40-\x7e]", raw)  # second bytes that GB 2312 and EUC-KR do not use
    return bool(low) and _pairs(raw, "\xa1\xa4-\xc6", "\xc7-\xf9", 0.8)


def _japanese(raw: bytes) -> bool:
    text = raw.decode("cp932")
    high = [c for c in text if ord(c) > 127]
    return any("\u3041" <= c <= "\u30fe" for c in high) and not any("\uff61" <= c <= "\uff9f" for c in high)


def _korean(raw: bytes) -> bool:
    return _pairs(raw, "\xb0-\xc8", "\xa1-\xaf", 0.9) and not any(len(run) % 2 for run in _HIGH.findall(raw))


def _cyrillic(raw: bytes) -> bool:
    words = re.findall(r"[^\W\d_]+", raw.decode("cp1251"))
    high = [w for w in words if any(ord(c) > 127 for c in w)]
    pure = [w for w in high if re.fullmatch("[а-яё]+|[А-ЯЁ][а-яё]*|[А-ЯЁ]+", w)]
    return len(pure) >= 0.9 * len(high) > 0 and max(map(len, pure)) >= 4


def _latin(encoding: str, letters: str) -> Callable[[bytes], bool]:
    """Accented letters stand in words of Latin letters, capitals in front; few other signs occur at all."""

    def check(raw: bytes) -> bool:
        text = raw.decode(encoding)
        odd = re.findall(r"[\x80-\x9f¤¦¨¬­¯¸×÷þðÞÐ]|[^\x00-\x7f€‚„…‘’“”•–—™ ¡£¥§©ª«°±²³´µ·¹º»¼½¾¿" + letters + "]", text)
        midword = re.findall(r"[a-z][À-ÖØ-ÞŠŽŸ¡¿¹³²¼½¾§º£¥©«»±]+[a-z]|[³¹][^\W\d]|\wŸ", text)
        high = _HIGH.findall(raw)
        return not odd and not midword and sum(len(h) > 4 for h in high) <= 0.1 * len(high)

    return check


_WEST = "a-zA-ZÀ-ÖØ-öø-ÿŒœŠšŽžŸƒ"
_EAST = "ĄąĆćĘęŁłŃńÓóŚśŹźŻżÁáČčĎďÉéĚěÍíŇňŘřŠšŤťÚúŮůÝýŽžĹĺĽľŔŕÔôÄäÖöÜüßŐőŰűĂăÂâÎîŞşŢţŕëçđĐ"
#: Encodings in the order in which they are tried when the library has no opinion, each with what its text looks like.
LOOKS_LIKE: dict[str, Callable[[bytes], bool]] = {
    "gb18030": _chinese,
    "big5": _traditional,
    "cp949": _korean,
    "cp932": _japanese,
    "cp1251": _cyrillic,
    "cp1252": _latin("cp1252", _WEST),
    "cp1250": _latin("cp1250", _EAST),
    "mac_roman": _latin("mac_roman", _WEST),
}
#: So alike that the library cannot tell them apart: the first that can be a text.
LATIN = ("cp1252", "mac_roman", "cp1250")


def decode(raw: bytes, encoding: str | None, name: str) -> tuple[str, str]:
    """Turn the bytes of a text file into text.

    Parameters
    ----------
    raw : bytes
    encoding : str or None
        Used as it is where given; None looks for it.
    name : str
        Of the file, for the sentence.

    Returns
    -------
    (text, encoding)

    Raises
    ------
    DataError
        The file is cut within a character, is not in the encoding named, or none gives a plausible text.
    """
    if encoding is not None:
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError as error:
            raise DataError(
                f"{name} is not {encoding} (byte {error.start}). Leave out encoding, and it is found by itself."
            ) from None
        except (LookupError, TypeError, ValueError):
            raise DataError(f"there is no encoding {encoding!r}. Try 'utf-8', 'gb18030' or 'latin-1'.") from None
    marked = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
    for mark, found in marked.items():
        if raw.startswith(mark):
            return _strict(raw, found, name), found
    nulls = raw[:2000].count(0)
    if nulls > 0.3 * len(raw[:2000]):
        found = "utf-16-le" if raw[1:2000:2].count(0) > nulls / 2 else "utf-16-be"
        return _strict(raw, found, name), found
    try:
        return raw.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if (
            error.start >= len(raw) - 3
            and error.reason == "unexpected end of data"
            and re.search(rb"[\xc2-\xf4][\x80-\xbf]", raw)
        ):
            raise DataError(f"{name} ends in the middle of a character: the file was cut. Get it again.") from None
    if b"\x00" in raw:
        raise DataError(f"{name} holds binary data, not text; export it as CSV from the program that wrote it")
    from charset_normalizer import from_bytes  # only files that are not UTF-8 need it

    sample = b"\n".join(line for line in raw.splitlines() if _HIGH.search(line))
    if len(sample) > 100_000:
        sample = sample[:100_000].rsplit(b"\n", 1)[0]
    guesses = [match.encoding for match in from_bytes(sample, cp_isolation=list(LOOKS_LIKE))]
    order = sorted(set(LOOKS_LIKE) - set(LATIN), key=lambda e: (guesses + list(LOOKS_LIKE)).index(e))
    for found in ("gb18030", *order, *LATIN):
        try:
            if LOOKS_LIKE[found](sample):
                return raw.decode(found), found
        except UnicodeDecodeError:
            continue
    raise DataError(
        f"{name}: its encoding could not be told from its letters. Say it, for example encoding='cp1252' (Windows, "
        "western Europe), 'cp1250', 'gb18030', 'shift_jis', or save the file as UTF-8."
    )


def _strict(raw: bytes, encoding: str, name: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name} begins as {encoding} and is not at byte {error.start}: the file was cut or mixed. Get it again."
        ) from None
