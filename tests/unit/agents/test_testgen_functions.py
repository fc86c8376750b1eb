"""Functions that a ticket names: told from other words, and found in the one file that defines them."""

from pathlib import Path

import pytest

from budget_gate.agents import testgen_checkout
from budget_gate.agents.testgen_checkout import Checkout
from budget_gate.agents.testgen_functions import NAMES_MOST, defined_among, functions_named_in

JAVA = "public class Cart {\n    @Override\n    public Order refundOrder(Order order)\n    {\n        return order;\n    }\n}\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("`refundOrder` is wrong", ("refundOrder",)),
        ("`Cart.refundOrder(order, 3)` and `shop::Cart::total`", ("refundOrder", "total")),
        ("calling refundOrder() twice, and refundOrder() again", ("refundOrder",)),
        ("Refund the order (soon), see shop/cart.py", ()),
        ("`x`, `a b`, `--flag`, `3`, `$(rm -rf)`", ()),
        (" ".join(f"`name{number}`" for number in range(50)), tuple(f"name{number}" for number in range(NAMES_MOST))),
    ],
)
def test_names_that_are_used_like_functions(text: str, names: tuple[str, ...]) -> None:
    """Code spans and names with empty parentheses count; prose does not; their number is bounded."""
    assert functions_named_in(text) == names


def test_a_name_is_found_where_it_is_defined_not_where_it_is_used() -> None:
    """With a keyword or without one, over two lines too; a call, a comment and a longer name are none."""
    names = ("refundOrder", "Cart", "total", "order")
    assert defined_among(JAVA, names) == {"refundOrder", "Cart"}
    assert defined_among("# refundOrder(x)\nx = refundOrder(y)\ndef refundOrders():\n    pass\n", names) == frozenset()
    assert defined_among("def total(items):\n    pass\n", names) == {"total"}


def _project(root: Path, files: dict[str, str]) -> Checkout:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return Checkout(root)


def test_a_function_names_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind the files that are named by path; not where two files define it, nor where only a test does, nor past the search's bound."""
    files = {"src/Cart.java": JAVA, "src/a.c": "int total(int x) {\n}\n", "src/b.c": "int total(int x) {\n}\n", "z.py": "x = 1\n"}
    files["tests/test_cart.py"] = "def helper():\n    pass\n"
    text = "`Cart.refundOrder` of z.py, total() and `helper`"
    assert [each.path for each in _project(tmp_path, files).named_in(text)] == ["z.py", "src/Cart.java"]
    for bound in ("SOURCES_SEARCHED_MOST", "SEARCHED_BYTES_MOST"):
        with monkeypatch.context() as patch:
            patch.setattr(testgen_checkout, bound, 0)
            assert [each.path for each in Checkout(tmp_path).named_in(text)] == ["z.py"]
