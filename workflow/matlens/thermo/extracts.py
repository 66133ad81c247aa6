"""Parts of a thermodynamic database as text: pure elements in a structure, and whole phases, with their functions."""

import re

from matlens.thermo import orders

PURE = {"fcc": "FCC_A1", "bcc": "BCC_A2"}  # phase of a database whose pure elements have the structure
TAIL = re.compile(r"\bN\b[^;]*$", re.IGNORECASE)  # what follows the last temperature: N and the key of a reference


def pure(source: str, symbol: str, structure: str) -> str:
    """Return limits and expressions of the Gibbs energy of an element in a structure, per mole; "" if absent.

    symbol: in capitals; structure: a key of PURE. Magnetic contributions are not part of it.
    """
    for order in orders.split(source):
        match = orders.PARAMETER.match(order.text) if order.word == "PARAMETER" else None
        if not match or match[1].upper() not in ("G", "L") or match[2].strip().upper() != PURE[structure]:
            continue
        sites = [one.strip().upper().rstrip("%#") for one in match[3].split(":")]
        if sites in ([symbol], [symbol, "VA"]) and not int(match[4] or 0):
            return TAIL.sub("N", orders.body(order))
    return ""


def phases(source: str, symbols: list[str], names: list[str]) -> list[str]:
    """List the orders that define phases and their parameters for some elements (in capitals), without functions.

    A phase stands without its magnetic and disordered parts: only SEQ is kept of its types. Raises ValueError if a
    phase is absent or holds another.
    """
    given, made = orders.split(source), []
    for name in names:
        own = [one for one in given if one.word in ("PHASE", "CONSTITUENT") and _named(one) == name]
        if len(own) != 2:
            raise ValueError(f"the database has no phase '{name}'")
        if any(one.word == "TYPE_DEFINITION" and re.search(rf"\b{name}\b.*DIS", one.text) for one in given):
            raise ValueError(f"phase '{name}' is part of another one; name a phase that stands alone")
        head = own[0].text.split()
        made += [" ".join([*head[:2], "%", *head[3:]]), _restricted(own[1].text, set(symbols))]
    made += [one.text for _, one, match in orders.needed(given, set(symbols), set(names)) if match[1].upper() in "GL"]
    return made


def _named(order: orders.Order) -> str:
    return order.text.split()[1].upper().split(":")[0]


def _restricted(text: str, symbols: set[str]) -> str:
    """Leave the constituents of other elements out of an order."""
    head, _, rest = text.partition(":")
    sites = [
        ",".join(one for one in re.split(r"[,\s]+", part.strip()) if one.upper().rstrip("%#") in symbols | {"VA"})
        for part in rest.strip().strip(":").split(":")
    ]
    return f"{head.strip()} :{':'.join(sites)}:"


def functions(source: str, texts: list[str]) -> list[str]:
    """List the functions that orders need, directly or through others, as in the source."""
    known, wanted, seen = orders.functions(orders.split(source)), list(texts), {}
    while wanted:
        text = wanted.pop()
        for name in sorted({one.upper().rstrip("#") for one in orders.NAME.findall(text)} & set(known) - set(seen)):
            seen[name] = known[name].text
            wanted.append(orders.body(known[name]))
    return [seen[name] for name in sorted(seen)]
