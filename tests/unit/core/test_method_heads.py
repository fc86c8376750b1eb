"""Methods that no keyword opens: known by their heads in Java, C#, C++, C, TypeScript and Dart, and told from statements."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from budget_gate.core.diff_functions import defined_name, definition_starts, whole_functions
from budget_gate.core.diff_values import DiffLine
from budget_gate.core.method_heads import method_name

HEADS = (
    ("public static int total(List<Item> items) {", "", "total"),
    ("Cart(int days) {", "", "Cart"),
    ("private Map<String, List<Item>> byName(Items all) throws IOException, CartException {", "", "byName"),
    ("public <T> T first(List<T> items) {", "", "first"),
    ("@Override public void run() {", "", "run"),
    ("public int Total(List<Item> items)", "{", "Total"),
    ("public async Task<Order> RefundAsync(Order order) where T : class", "{", "RefundAsync"),
    ("int Cart::total(const std::vector<int>& items) const {", "", "total"),
    ("Cart::Cart() : days(0), items() {", "", "Cart"),
    ("Cart::~Cart() {", "", "~Cart"),
    ("bool operator==(const Cart& other) const {", "", "operator=="),
    ("static char *name(void)", "{", "name"),
    ("total(items: Item[]): number {", "", "total"),
    ("async total() {", "", "total"),
    ("constructor(private cart: Cart) {", "", "constructor"),
    ("Future<void> load() async {", "", "load"),
    ("public Order refund(", "Order order,", "refund"),
    ("public Order refund(Order order,", "int days) {", "refund"),
    ("int size() { return n; }", "", "size"),
    ("void wait(int days = 3) {", "", "wait"),
)

STATEMENTS = (
    "if (x) {",
    "} else if (x) {",
    "for (int i = 0; i < n; i++) {",
    "switch (x) {",
    "catch (Exception e) {",
    "return foo(x);",
    "foo(bar);",
    "foo(bar, function() {",
    "describe('x', () => {",
    "items.forEach(x -> {",
    "Foo x = new Foo() {",
    "return new Foo() {",
    "synchronized (this) {",
    "x = foo(",
    "raise ValueError(",
    "elif foo(x) and (",
    "const f = (x) => {",
    "int total(int x);",
    "await foo(",
    "foo(x).bar(y)",
    "assertThat(x)",
    "INSERT INTO cart (",
    "case foo(x): {",
    "outer: for (int each : all) {",
    "Order order(x).apply {",
    "# foo(x) {",
    "// int f(x) {",
    "* f(x) {",
    "",
)


@pytest.mark.parametrize(("text", "following", "name"), HEADS)
def test_heads_are_known_and_named(text: str, following: str, name: str) -> None:
    """Whatever stands before the name and behind the parentheses, and wherever the brace is."""
    assert method_name(text, following) == name


@pytest.mark.parametrize("text", STATEMENTS)
@pytest.mark.parametrize("following", ["", "{"])
def test_statements_are_none(text: str, following: str) -> None:
    """A call, a condition, a lambda and a declaration without a body define nothing."""
    assert method_name(text, following) == ""


def test_a_call_is_no_head_though_a_block_follows() -> None:
    """Without a type or modifier before the name, a brace on the next line is a block of its own."""
    assert method_name("refund(order)", "{") == ""
    assert method_name("refund(", "order,") == ""
    assert method_name("Order refund(Order order)", "Order other(Order order)") == "", "a macro, or a method without a body"


@given(st.text(alphabet="ab<>[](){},.:;*&~@$ =\"'operator", max_size=200), st.sampled_from(["", "{"]))
def test_any_text_is_told_in_time(text: str, following: str) -> None:
    """Nothing is raised and nothing takes long: the text is an author's."""
    started = time.process_time()
    for _ in range(10):
        method_name(text, following)
    assert time.process_time() - started < 0.2


JAVA = """\
package shop;

public class Cart {
    private int days = 30;

    @Override
    public Order refund(Order order) throws LateException {
        if (order.isLate()) {
            throw new LateException(order);
        }
        return order.back();
    }

    int total(
        List<Item> items,
        Tax tax
    ) {
        return items.stream().mapToInt(Item::price).sum();
    }
}
"""

CSHARP = """\
[Fact]
public void Refunds()
{
    Assert.True(cart.Refund(order));
}

private int Sum(int[] all)
{
    foreach (var each in all)
    {
        sum += each;
    }
    return sum;
}

int x;
"""


def lines_of(text: str) -> list[DiffLine]:
    """Return the lines of a text as unchanged ones."""
    return [DiffLine("context", number, number, line) for number, line in enumerate(text.splitlines(), start=1)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (JAVA, [("@Override", "}", 7), ("int total(", "}", 6), ("public class Cart {", "}", 18)]),
        (CSHARP, [("[Fact]", "}", 5), ("private int Sum(int[] all)", "}", 8)]),
    ],
)
def test_methods_are_shown_from_head_to_bracket(text: str, wanted: list[tuple[str, str, int]]) -> None:
    """With their decorations, over several lines of head, and with the brace on a line of its own."""
    lines = lines_of(text)
    found = whole_functions(lines)
    assert [(lines[each.start].text.strip(), lines[each.stop - 1].text.strip(), len(each)) for each in found] == wanted
    assert {each.start for each in found} == definition_starts(lines)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("def refund(order):", "refund"),
        ("export async function total() {", "total"),
        ("func (c *Cart) Refund() {", "Refund"),
        ("pub fn refund<T>() {", "refund"),
        ("def self.refund", "refund"),
        ("class Cart {", "Cart"),
        ("impl<T> Cart<T> {", "?"),
        ("public Order refund(Order order) {", "refund"),
        ("x = 1", ""),
    ],
)
def test_definitions_have_names(text: str, name: str) -> None:
    """With a keyword or without one."""
    assert defined_name(lines_of(text), 0) == name
