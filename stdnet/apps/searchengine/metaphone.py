"""Double metaphone: how an English word sounds, as one code or two. After Lawrence Philips' published algorithm.

``0`` stands for "th", ``X`` for "sh". Codes are not cut. Each method below reads one letter at ``self.at`` and returns
what it adds to the first and to the second code, and how many letters it has read. The words in the comments are
examples of the rule beside them.
"""

from __future__ import annotations

from collections.abc import Callable

Sound = tuple[str, str, int]

VOWELS = frozenset("AEIOUY")


class _Word:
    """A word and the place in it that is being read."""

    def __init__(self, word: str) -> None:
        self.word = word.upper()
        self.last = len(self.word) - 1
        self.at = 0
        self.slavic = any(part in self.word for part in ("W", "K", "CZ", "WITZ"))
        self.germanic = self.word.startswith(("VAN ", "VON ", "SCH"))

    def codes(self) -> tuple[str, str]:
        """Return both codes, which are often equal."""
        first, second = [], []
        if self.word.startswith(("GN", "KN", "PN", "WR", "PS")):
            self.at = 1
        if self.word.startswith("X"):  # Xavier
            first, second, self.at = ["S"], ["S"], 1
        while self.at <= self.last:
            letter = self.word[self.at]
            if letter in VOWELS:
                one = other = "" if self.at else "A"
                read = 1
            else:
                one, other, read = _LETTERS.get(letter, _silent)(self)
            first.append(one)
            second.append(other)
            self.at += read
        return "".join(first), "".join(second)

    def letter(self, offset: int) -> str:
        """Return the letter at an offset from here, a space beyond the ends."""
        place = self.at + offset
        return self.word[place] if 0 <= place <= self.last else " "

    def has(self, offset: int, *parts: str) -> bool:
        """Return whether one of some parts is at an offset from here."""
        place = self.at + offset
        return place >= 0 and f"{self.word}     ".startswith(parts, place)

    def vowel(self, offset: int) -> bool:
        """Return whether there is a vowel at an offset from here."""
        return self.letter(offset) in VOWELS

    @property
    def begins(self) -> bool:
        """Whether this is the first letter."""
        return self.at == 0

    @property
    def ends(self) -> bool:
        """Whether this is the last letter."""
        return self.at == self.last

    def plain(self, sound: str, *doubles: str) -> Sound:
        """Return one sound, which the next letter may only repeat."""
        return sound, sound, 2 if self.letter(1) in doubles else 1

    # -- letters ------------------------------------------------------------------------------------------------

    def c(self) -> Sound:
        if self._hard_ach():
            return "K", "K", 2
        if self.begins and self.has(0, "CAESAR"):
            return "S", "S", 2
        if self.has(0, "CHIA"):  # chianti
            return "K", "K", 2
        if self.has(0, "CH"):
            return self._ch()
        if self.has(0, "CZ") and not self.has(-2, "WICZ"):  # Czerny
            return "S", "X", 2
        if self.has(1, "CIA"):  # focaccia
            return "X", "X", 3
        if self.has(0, "CC") and not (self.at == 1 and self.word[0] == "M"):  # not McClellan
            return self._cc()
        if self.has(0, "CK", "CG", "CQ"):
            return "K", "K", 2
        if self.has(0, "CI", "CE", "CY"):
            return "S", "X" if self.has(0, "CIO", "CIE", "CIA") else "S", 2
        if self.has(1, " C", " Q", " G"):  # Mac Caffrey, Mac Gregor
            return "K", "K", 3
        return "K", "K", 2 if self.has(1, "C", "K", "Q") and not self.has(1, "CE", "CI") else 1

    def _hard_ach(self) -> bool:
        """Return whether this is the "c" of "Bach"."""
        if self.at < 2 or self.vowel(-2) or not self.has(-1, "ACH") or self.letter(2) == "I":
            return False
        return self.letter(2) != "E" or self.has(-2, "BACHER", "MACHER")

    def _ch(self) -> Sound:
        if not self.begins and self.has(0, "CHAE"):  # Michael
            return "K", "X", 2
        greek = self.has(1, "HARAC", "HARIS", "HOR", "HYM", "HIA", "HEM")
        if self.begins and greek and not self.has(0, "CHORE"):
            return "K", "K", 2
        before = self.begins or self.has(-1, "A", "O", "U", "E")
        after = self.has(2, "L", "R", "N", "M", "B", "H", "F", "V", "W", " ")
        if (
            self.germanic
            or self.has(-2, "ORCHES", "ARCHIT", "ORCHID")
            or self.has(2, "T", "S")
            or (before and after)  # Wachtler, Wechsler, but not tichner
        ):
            return "K", "K", 2
        if self.begins:
            return "X", "X", 2
        return ("K" if self.word.startswith("MC") else "X"), "K", 2  # McHugh

    def _cc(self) -> Sound:
        if not self.has(2, "I", "E", "H") or self.has(2, "HU"):
            return "K", "K", 2
        accident = self.at == 1 and self.letter(-1) == "A"
        if accident or self.has(-1, "UCCEE", "UCCES"):
            return "KS", "KS", 3
        return "X", "X", 3  # bacci, bertucci

    def d(self) -> Sound:
        if self.has(0, "DG"):
            return ("J", "J", 3) if self.has(2, "I", "E", "Y") else ("TK", "TK", 2)  # edge, Edgar
        return self.plain("T", "T", "D")

    def g(self) -> Sound:
        following = self.letter(1)
        if following == "H":
            return self._gh()
        if following == "N":
            return self._gn()
        if self.has(1, "LI") and not self.slavic:  # tagliaro
            return "KL", "L", 2
        starts = ("Y", "ES", "EP", "EB", "EL", "EY", "IB", "IL", "IN", "IE", "EI", "ER")
        if self.begins and self.has(1, *starts):
            return "K", "J", 2
        if self.has(1, "ER", "Y") and self._soft_er():
            return "K", "J", 2
        if self.has(1, "E", "I", "Y") or self.has(-1, "AGGI", "OGGI"):  # Biaggi
            if self.germanic or self.has(1, "ET"):
                return "K", "K", 2
            return "J", "J" if self.has(1, "IER ") else "K", 2
        return self.plain("K", "G")

    def _gh(self) -> Sound:
        if not self.begins and not self.vowel(-1):
            return "K", "K", 2
        if self.begins:  # Ghislane, Ghiradelli
            return ("J", "J", 2) if self.letter(2) == "I" else ("K", "K", 2)
        if self.has(-2, "B", "H", "D") or self.has(-3, "B", "H", "D") or self.has(-4, "B", "H"):  # Hugh
            return "", "", 2
        if self.at > 2 and self.letter(-1) == "U" and self.has(-3, "C", "G", "L", "R", "T"):  # laugh, cough, tough
            return "F", "F", 2
        return ("K", "K", 2) if self.letter(-1) != "I" else ("", "", 2)

    def _gn(self) -> Sound:
        if self.at == 1 and self.word[0] in VOWELS and not self.slavic:
            return "KN", "N", 2
        if not self.has(2, "EY") and self.letter(1) != "Y" and not self.slavic:  # not Cagney
            return "N", "KN", 2
        return "KN", "KN", 2

    def _soft_er(self) -> bool:
        if self.word.startswith(("DANGER", "RANGER", "MANGER")):
            return False
        return not self.has(-1, "E", "I") and not self.has(-1, "RGY", "OGY")

    def h(self) -> Sound:
        if (self.begins or self.vowel(-1)) and self.vowel(1):
            return "H", "H", 2
        return "", "", 1

    def j(self) -> Sound:
        spanish = self.word.startswith("SAN ")
        if self.has(0, "JOSE") or spanish:
            alone = self.begins and self.letter(4) == " "
            return ("H" if alone or spanish else "J"), "H", 1
        read = 2 if self.letter(1) == "J" else 1
        if self.begins:  # Yankelovich, Jankelowicz
            return "J", "A", read
        if self.vowel(-1) and not self.slavic and self.letter(1) in ("A", "O"):  # bajador
            return "J", "H", read
        if self.ends:
            return "J", "", read
        silent = self.has(1, "L", "T", "K", "S", "N", "M", "B", "Z") or self.has(-1, "S", "K", "L")
        return ("", "", read) if silent else ("J", "J", read)

    def l(self) -> Sound:  # noqa: E743
        if self.letter(1) != "L":
            return "L", "L", 1
        cabrillo = self.at == self.last - 2 and self.has(-1, "ILLO", "ILLA", "ALLE")
        gallegos = self.word.endswith(("AS", "OS", "A", "O")) and self.has(-1, "ALLE")
        return "L", "" if cabrillo or gallegos else "L", 2

    def m(self) -> Sound:
        thumb = self.has(-1, "UMB") and (self.at + 1 == self.last or self.has(2, "ER"))  # dumb, plumber
        return "M", "M", 2 if thumb or self.letter(1) == "M" else 1

    def p(self) -> Sound:
        return ("F", "F", 2) if self.letter(1) == "H" else self.plain("P", "P", "B")  # Campbell, raspberry

    def r(self) -> Sound:
        rogier = self.ends and not self.slavic and self.has(-2, "IE") and not self.has(-4, "ME", "MA")
        return "" if rogier else "R", "R", 2 if self.letter(1) == "R" else 1

    def s(self) -> Sound:
        if self.has(-1, "ISL", "YSL"):  # island, Carlysle
            return "", "", 1
        if self.begins and self.has(0, "SUGAR"):
            return "X", "S", 1
        if self.has(0, "SH"):
            return ("S", "S", 2) if self.has(1, "HEIM", "HOEK", "HOLM", "HOLZ") else ("X", "X", 2)
        if self.has(0, "SIO", "SIA"):
            return "S", "S" if self.slavic else "X", 3
        if (self.begins and self.has(1, "M", "N", "L", "W")) or self.has(1, "Z"):  # Smith and Schmidt
            return "S", "X", 2 if self.has(1, "Z") else 1
        if self.has(0, "SC"):
            return self._sc()
        resnais = self.ends and self.has(-2, "AI", "OI")
        return "" if resnais else "S", "S", 2 if self.has(1, "S", "Z") else 1

    def _sc(self) -> Sound:
        if self.letter(2) != "H":
            return ("S", "S", 3) if self.has(2, "I", "E", "Y") else ("SK", "SK", 3)
        if self.has(3, "ER", "EN"):  # Schermerhorn, Schenker
            return "X", "SK", 3
        if self.has(3, "OO", "UY", "ED", "EM"):  # school
            return "SK", "SK", 3
        third = self.word[3:4] or " "
        return "X", "S" if self.begins and third not in VOWELS and third != "W" else "X", 3

    def t(self) -> Sound:
        if self.has(0, "TION", "TIA", "TCH"):
            return "X", "X", 3
        if self.has(0, "TH", "TTH"):
            return ("T", "T", 2) if self.germanic or self.has(2, "OM", "AM") else ("0", "T", 2)  # Thomas, Thames
        return self.plain("T", "T", "D")

    def w(self) -> Sound:
        if self.has(0, "WR"):
            return "R", "R", 2
        one = other = ""
        if self.begins and (self.vowel(1) or self.has(0, "WH")):  # Wasserman and Vasserman
            one, other = "A", "F" if self.vowel(1) else "A"
        arnow = self.ends and self.vowel(-1)
        if arnow or self.has(-1, "EWSKI", "EWSKY", "OWSKI", "OWSKY") or self.word.startswith("SCH"):
            return one, f"{other}F", 1
        if self.has(0, "WICZ", "WITZ"):
            return f"{one}TS", f"{other}FX", 4
        return one, other, 1

    def x(self) -> Sound:
        breaux = self.ends and (self.has(-3, "IAU", "EAU") or self.has(-2, "AU", "OU"))
        sound = "" if breaux else "KS"
        return sound, sound, 2 if self.has(1, "C", "X") else 1

    def z(self) -> Sound:
        if self.letter(1) == "H":  # Zhao
            return "J", "J", 2
        foreign = self.has(1, "ZO", "ZI", "ZA") or (self.slavic and not self.begins and self.letter(-1) != "T")
        return "S", "TS" if foreign else "S", 2 if self.letter(1) == "Z" else 1


def _silent(word: _Word) -> Sound:
    return "", "", 1


def _simple(sound: str, *doubles: str) -> Callable[[_Word], Sound]:
    return lambda word: word.plain(sound, *doubles)


_LETTERS: dict[str, Callable[[_Word], Sound]] = {
    "B": _simple("P", "B"),
    "Ç": _simple("S"),
    "C": _Word.c,
    "D": _Word.d,
    "F": _simple("F", "F"),
    "G": _Word.g,
    "H": _Word.h,
    "J": _Word.j,
    "K": _simple("K", "K"),
    "L": _Word.l,
    "M": _Word.m,
    "N": _simple("N", "N"),
    "Ñ": _simple("N"),
    "P": _Word.p,
    "Q": _simple("K", "Q"),
    "R": _Word.r,
    "S": _Word.s,
    "T": _Word.t,
    "V": _simple("F", "V"),
    "W": _Word.w,
    "X": _Word.x,
    "Z": _Word.z,
}


def double_metaphone(word: str) -> tuple[str, str | None]:
    """Return the first code of a word, and the second if it is another; a word without letters has the code ``""``.

    >>> double_metaphone("catherine"), double_metaphone("bob")
    (('K0RN', 'KTRN'), ('PP', None))
    """
    first, second = _Word(word).codes()
    return first, None if second == first else second
