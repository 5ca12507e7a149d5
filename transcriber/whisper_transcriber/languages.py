"""Languages as people write them, to the codes that Whisper knows: pure.

``nb``, ``English``, ``pt-BR``, ``zh_CN``, ``iw`` and ``german`` all mean something; what means
nothing is refused with the nearest names, before a model is loaded.
"""

from difflib import get_close_matches

from transcription_contract.languages import NAMES
from transcription_contract.options import LANGUAGE_AUTO
from whisper_transcriber.errors import LanguageUnknown

_ALIASES: dict[str, str] = {
    # openai-whisper's own (TO_LANGUAGE_CODE).
    "burmese": "my", "valencian": "ca", "flemish": "nl", "haitian": "ht", "letzeburgesch": "lb",
    "pushto": "ps", "panjabi": "pa", "moldavian": "ro", "moldovan": "ro", "sinhalese": "si",
    "castilian": "es", "mandarin": "zh",
    # ISO 639 codes that were replaced, and macrolanguages' members.
    "nb": "no", "iw": "he", "in": "id", "ji": "yi", "jv": "jw", "mo": "ro", "sh": "sr",
    "fil": "tl", "cmn": "zh", "arb": "ar", "pes": "fa", "prs": "fa", "ekk": "et", "lvs": "lv",
    "swh": "sw", "zsm": "ms", "khk": "mn", "uzn": "uz", "azj": "az", "als": "sq", "plt": "mg",
    # Names that people use.
    "farsi": "fa", "filipino": "tl", "bokmal": "no", "bokmål": "no", "castellano": "es",
    "deutsch": "de", "français": "fr", "francais": "fr", "español": "es", "espanol": "es",
    "português": "pt", "italiano": "it", "nederlands": "nl", "creole": "ht",
    # ISO 639-2 codes of the languages that are asked for most.
    "eng": "en", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "spa": "es", "por": "pt",
    "ita": "it", "nld": "nl", "dut": "nl", "rus": "ru", "zho": "zh", "chi": "zh", "jpn": "ja",
    "kor": "ko", "ara": "ar", "hin": "hi", "tur": "tr", "pol": "pl", "ukr": "uk", "swe": "sv",
    "nor": "no", "nob": "no", "nno": "nn", "dan": "da", "fin": "fi", "ces": "cs", "cze": "cs",
    "ell": "el", "gre": "el", "heb": "he", "hun": "hu", "ron": "ro", "rum": "ro", "tha": "th",
    "vie": "vi", "ind": "id",
}  # fmt: skip

_CODES = {name: code for code, name in NAMES.items()}


def code_of(stated: str) -> str:
    """Whisper's code of a language; ``auto``, and nothing at all, stay ``auto``.

    Raises:
        LanguageUnknown: it is not a language that Whisper knows.
    """
    plain = stated.strip().lower().replace("_", "-")
    if plain in ("", LANGUAGE_AUTO):
        return LANGUAGE_AUTO
    if found := _known(plain) or _known(plain.partition("-")[0]):
        return found
    raise LanguageUnknown(
        f"Whisper does not know the language {stated!r}{_suggestion(plain)}: state a code such as "
        "en or de, a name such as English, or auto"
    )


def _known(plain: str) -> str | None:
    code = _CODES.get(plain) or _ALIASES.get(plain, plain)
    return code if code in NAMES else None


def _suggestion(plain: str) -> str:
    near = get_close_matches(plain, [*NAMES.values(), *_ALIASES, *NAMES], n=3, cutoff=0.75)
    codes = dict.fromkeys(code for name in near if (code := _known(name)))
    meant = ", ".join(f"{code} ({NAMES[code]})" for code in codes)
    return f" (did you mean {meant}?)" if meant else ""
