"""A long file cut down: what the ticket names is whole, other functions keep their heads, and gaps are told."""

from hypothesis import given
from hypothesis import strategies as st

from budget_gate.agents.testgen_excerpt import excerpt

METHOD = """\
    public Order refund%d(Order order) {
        int days = %d;
        return order.back(days);
    }
"""
JAVA = "package shop;\n\nimport java.util.List;\n\npublic class Cart {\n" + "\n".join(METHOD % (n, n) for n in range(60)) + "}\n"


def test_a_short_file_is_whole() -> None:
    """What fits is not cut."""
    assert excerpt(JAVA, (), len(JAVA)) == JAVA


def test_a_method_that_the_ticket_names_is_shown_whole() -> None:
    """Wherever it stands: with the file's head, and the heads of the others."""
    shown = excerpt(JAVA, {"refund57", "order"}, 4_500)
    assert len(shown) <= 4_500
    assert shown.startswith("package shop;\n\nimport java.util.List;\n\npublic class Cart {\n")
    assert METHOD % (57, 57) in shown
    assert "public Order refund9(Order order) {" in shown
    assert "int days = 40;" not in shown
    assert "\n… (4 lines)\n" in shown


def test_what_is_left_goes_to_the_others_in_order() -> None:
    """Where there is room, more functions are whole, from the top."""
    shown = excerpt(JAVA, (), 6_000)
    assert METHOD % (0, 0) in shown
    assert METHOD % (59, 59) not in shown


def test_what_is_named_comes_before_the_heads_of_the_others() -> None:
    """In a tight place the ticket's method is whole, and it is heads that are missing."""
    assert METHOD % (57, 57) in excerpt(JAVA, {"refund57"}, 1_000)


def test_a_class_that_is_named_does_not_crowd_out_a_method() -> None:
    """The shortest of what is named comes first, for a class holds many."""
    tax = "class Tax {\n" + "\n".join((METHOD % (n, n)).replace("refund", "pay") for n in range(20)) + "}\n"
    assert METHOD % (57, 57) in excerpt(tax + JAVA, {"Tax", "refund57"}, len(tax) + 100)


def test_a_file_without_definitions_keeps_its_beginning() -> None:
    """And says that there is more; so does one whose first line is too long."""
    assert excerpt("x = 1\n" * 100, (), 100) == ("x = 1\n" * 100)[:76] + "\n(the rest is not shown)"
    assert excerpt("def f(): " + "x" * 900, (), 100).endswith("x\n(the rest is not shown)")


@given(
    st.lists(
        st.sampled_from(["def a():", "    x = 1", "", "int b(int c) {", "}", "x" * 60, "class C {", "\t\u2028"]), max_size=80
    ),
    st.sets(st.sampled_from(["a", "b", "C"])),
    st.integers(60, 900),
)
def test_any_file_stays_within_the_limit_and_in_order(rows: list[str], words: set[str], most: int) -> None:
    """Every kept line is one of the file's, in its order, and the text is never longer than asked."""
    text = "\n".join(rows)
    shown = excerpt(text, words, most)
    assert len(shown) <= most or shown == text
    if "(the rest is not shown)" not in shown:
        kept = [row for row in shown.split("\n") if not row.startswith("… (")]
        places = iter(rows or [""])
        assert all(any(row == each for each in places) for row in kept)
