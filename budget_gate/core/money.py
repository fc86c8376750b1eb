"""Money: an integer count of nano-dollars (one billionth of a dollar; a cached token can cost ten of them).

Prices are ``Decimal``, and a call's cost is rounded once, up. Floats never appear. Formatting for people lives here too, so that
one amount looks the same in every comment, table and message.
"""

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_CEILING, Context, Decimal

NANO_PER_USD = 1_000_000_000

USD_MAX = 9_000_000
"""The largest limit in dollars: Lua compares doubles, which are exact up to 2**53 nano-dollars (9.007 million dollars)."""

COUNT_MAX = 2**53 - 1
"""The largest token or request count a limit may name, for the same reason."""

EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
"""Arithmetic without rounding: sums, products and shifts of the decimal point, of any size. Division has no place here."""

_SMALLEST_SHOWN = NANO_PER_USD // 10_000
_TEN_CENTS = NANO_PER_USD // 10

DECIMAL_TEXT_MAX = 40
"""The longest number that is read, in characters: far beyond any price or budget, and harmless to compute with."""


def ceil_to_nano_usd(cost_usd: Decimal) -> int:
    """Return ``cost_usd`` dollars as nano-dollars, rounded up: the one place where a cost is rounded."""
    scaled = EXACT.multiply(cost_usd, NANO_PER_USD)
    return int(scaled.to_integral_value(rounding=ROUND_CEILING, context=EXACT))


def parse_decimal(text: str) -> Decimal:
    """Return the number that ``text`` names exactly: digits with at most one point, perhaps a minus sign before them.

    Raises ``ValueError`` for anything else. Exponents, underscores, infinities and digits outside ASCII are refused: nobody
    writes a budget that way, and ``1e999999999`` is an attack.
    """
    trimmed = text.strip()
    whole, _, fraction = trimmed.removeprefix("-").partition(".")
    digits = whole + fraction
    if not whole or not digits.isascii() or not digits.isdigit() or len(trimmed) > DECIMAL_TEXT_MAX:
        raise ValueError(f"{text[:DECIMAL_TEXT_MAX]!r} is not a plain decimal number")
    return Decimal(trimmed)


def parse_usd(text: str) -> int:
    """Return the nano-dollars that ``text`` (a plain decimal such as ``"12.50"``, perhaps negative) names exactly.

    Raises ``ValueError`` when it is no such number, or is finer than a nano-dollar.
    """
    try:
        value = parse_decimal(text)
    except ValueError:
        raise ValueError(f"{text[:DECIMAL_TEXT_MAX]!r} is not an amount of dollars") from None
    scaled = EXACT.multiply(value, NANO_PER_USD)
    nano = scaled.to_integral_value(context=EXACT)
    if nano != scaled:
        raise ValueError(f"{text!r} is finer than a billionth of a dollar")
    return int(nano)


def usd_text(nano_usd: int) -> str:
    """Return the exact amount as a decimal string, as JSON output carries it: ``"0.012345678"``, ``"7.00"``."""
    sign = "-" if nano_usd < 0 else ""
    whole, fraction = divmod(abs(nano_usd), NANO_PER_USD)
    digits = f"{fraction:09d}".rstrip("0").ljust(2, "0")
    return f"{sign}{whole}.{digits}"


def usd_short(nano_usd: int) -> str:
    """Return the amount as people read it: ``$12.50``, ``$0.0123`` under ten cents, ``<$0.0001`` for less than that.

    Rounded half up to the places shown; for reading only, never parsed back.
    """
    sign = "-" if nano_usd < 0 else ""
    amount = abs(nano_usd)
    if amount == 0:
        return "$0.00"
    if amount < _SMALLEST_SHOWN:
        return f"{sign}<$0.0001"
    places = 4 if amount < _TEN_CENTS else 2
    unit = NANO_PER_USD // 10**places
    rounded = (amount + unit // 2) // unit
    whole, fraction = divmod(rounded, 10**places)
    return f"{sign}${whole:,}.{fraction:0{places}d}"


def share_of(amount: int, basis_points: int) -> int:
    """Return ``basis_points`` ten-thousandths of ``amount``, rounded down (a line is never a hair above its limit)."""
    return amount * basis_points // 10_000
