"""What the demo model understands: a closed vocabulary, and sentences made of it."""

import random
from collections.abc import Iterator
from itertools import pairwise

CATEGORIES: dict[str, tuple[str, ...]] = {
    name: tuple(dict.fromkeys(words.split()))
    for name, words in {
        "NUMBER": "one three five six seven nine ten twelve twenty thirty hundred thousand",
        "NOUN": """
            cloud server cluster storage network system data file record report meeting team
            project plan customer market budget price order product office city river mountain
            forest garden house window door table kitchen bread coffee water milk apple dinner
            lunch music movie book paper letter picture phone camera computer machine engine train
            station airport bridge road street school teacher student doctor hospital police army
            mother father sister brother child family friend dog horse bird fish winter summer
            spring storm wind snow temperature pressure weather thunder ocean island moon energy
            power light sound voice speech question answer problem solution number language
            history science member manager director company bank money contract agenda document
            memory process queue worker signal""",
        "ADJECTIVE": """
            red green yellow black white orange big small large short long high low cold warm hot
            dry wet clear dark bright heavy strong slow quick early late open empty full happy
            angry quiet simple difficult important public private local global digital modern old
            young free busy ready cheap""",
        "VERB": """
            opens closed moves starts stopped finished follows found keeps gives takes makes shows
            sends received wants needs likes loves calls asks helps brings carries builds runs
            walks works plays reads writes watches checked covers crosses reaches joins leaves
            changed improved discussed""",
        "ADVERB": """
            today tomorrow yesterday again always never often soon slowly quickly together outside
            inside""",
        "DAY": """
            Monday Tuesday Wednesday Thursday Friday Saturday Sunday January April July September
            December""",
        "UNIT": "degrees minutes seconds hours days weeks months years people percent dollars",
        "DETERMINER": "the a our this that every",
        "PRONOUN": "he she they we you",
        "PREPOSITION": "of in on with from under behind after before between without during near",
        "OTHER": "and but is was will please thank hello yes not very more because",
    }.items()
}

WORDS = tuple(dict.fromkeys(word for words in CATEGORIES.values() for word in words))

TEMPLATES = tuple(
    tuple(line.split())
    for line in """
DETERMINER NOUN VERB DETERMINER NOUN
DETERMINER ADJECTIVE NOUN VERB DETERMINER NOUN ADVERB
DETERMINER NOUN PREPOSITION DETERMINER NOUN is ADJECTIVE
PRONOUN VERB DETERMINER ADJECTIVE NOUN
PRONOUN VERB NUMBER ADJECTIVE NOUN PREPOSITION DETERMINER NOUN
DETERMINER NOUN was ADJECTIVE and ADJECTIVE
please VERB DETERMINER NOUN PREPOSITION DAY
DETERMINER meeting starts PREPOSITION NUMBER minutes
DETERMINER NOUN is very ADJECTIVE ADVERB
hello DETERMINER NOUN is ready
DETERMINER temperature was NUMBER degrees ADVERB
NUMBER NOUN PREPOSITION DETERMINER NOUN
DETERMINER weather is ADJECTIVE and ADJECTIVE PREPOSITION DAY
PRONOUN will VERB NUMBER UNIT
thank you PREPOSITION DETERMINER NOUN
yes DETERMINER NOUN VERB more NOUN
PRONOUN VERB DETERMINER NOUN because DETERMINER NOUN was ADJECTIVE
NUMBER UNIT PREPOSITION DETERMINER NOUN VERB
DETERMINER NOUN and DETERMINER NOUN VERB ADVERB
""".strip().splitlines()
)


def sentences(chance: random.Random) -> Iterator[tuple[str, ...]]:
    """Sentences without end, the same ones for the same seed.

    Half follow a template and half are any words at all, as the model was trained. A word never
    follows itself, not even across a full stop: the model may drop one of the two, or loop.
    """
    last = ""
    while True:
        sentence = _by_template(chance) if chance.random() < 0.5 else _at_random(chance)
        words = (last, *sentence)
        if all(a.lower() != b.lower() for a, b in pairwise(words)):
            yield sentence
            last = sentence[-1]


def _by_template(chance: random.Random) -> tuple[str, ...]:
    template = chance.choice(TEMPLATES)
    return tuple(
        chance.choice(CATEGORIES[slot]) if slot in CATEGORIES else slot for slot in template
    )


def _at_random(chance: random.Random) -> tuple[str, ...]:
    return tuple(chance.choice(WORDS) for _ in range(chance.randint(2, 9)))
