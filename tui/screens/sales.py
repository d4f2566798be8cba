"""Past sales: look one up, see its receipt, print it again as a copy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message

from edge_agent.client import FOUND_MAX, ApiProblem, ServiceUnreachable
from edge_agent.views import AnyCommand, NoticeView, PrintReceipt, Reprint, SaleDetailView, SaleView
from tui.drawing.foot import KeyHint
from tui.drawing.line import BLANK, Line, apart, line
from tui.drawing.rows import sale_row
from tui.screens.base import CounterScreen
from tui.screens.lists import ListScreen
from tui.shown import Shown
from tui.widgets.choices import Option, row_of
from tui.widgets.drawn import Drawn
from tui.work import aside

if TYPE_CHECKING:
    from textual.widget import Widget


class SalesScreen(ListScreen):
    """Completed sales, newest first, narrowed by receipt or amount."""

    topic: ClassVar[str] = "sales"

    def __init__(self) -> None:
        super().__init__()
        self._sales: dict[str, SaleView] = {}

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("sales.title")

    def placeholder(self, shown: Shown) -> str:
        """What can be typed."""
        return shown.words("sales.placeholder")

    def takes(self, shown: Shown) -> str:
        """Enter shows the receipt."""
        return shown.words("sales.show")

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """Ask the journal."""
        sales = await self.counter.client.sales(text)
        self._sales |= {sale.id: sale for sale in sales}  # an answer that is late must not take the rows of the list away
        if not sales:
            return (), self.counter.words("sales.none" if text else "sales.none_yet")
        words = self.counter.words
        told = words("sales.many", n=len(sales)) if len(sales) >= FOUND_MAX else words.count("sales.found", len(sales))
        return [Option(sale.id, row_of(sale_row, sale)) for sale in sales], told

    def on_screen_resume(self) -> None:
        """Back from a receipt: it may have been printed meanwhile."""
        super().on_screen_resume()
        self.look()

    def take(self, option: str) -> None:
        """Show its receipt."""
        if option in self._sales:
            self.counter.lay(ReceiptScreen(self._sales[option]))


class ReceiptScreen(CounterScreen):
    """One sale's receipt as it was printed; P prints it again, marked as a copy (or at last, when it never came out)."""

    topic: ClassVar[str] = "receipt"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p,P", "print", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll(-10)", show=False),
        Binding("pagedown", "scroll(10)", show=False),
    ]

    class Came(Message):
        """The sale with its receipt, or a sentence why not."""

        def __init__(self, detail: SaleDetailView | None, why: str = "") -> None:
            super().__init__()
            self.detail = detail
            self.why = why

    def __init__(self, sale: SaleView) -> None:
        super().__init__()
        self._sale = sale
        self._detail: SaleDetailView | None = None
        self._why = ""
        self._asked_at = (-1, "")

    def body(self) -> Iterable[Widget]:
        """Heading and paper."""
        yield Drawn(self._heading, id="title")
        yield VerticalScroll(Drawn(self._paper, id="paper"), id="scroll")

    def opened(self) -> None:
        """Ask for the receipt."""
        super().opened()
        self._look(self.counter.picture)

    def show(self, shown: Shown) -> None:
        """Draw; whether it was printed may have changed with the picture."""
        super().show(shown)
        self._look(shown)

    def _look(self, shown: Shown | None) -> None:
        at = (shown.snapshot.view, shown.snapshot.boot) if shown is not None else (0, "")
        if at != self._asked_at:
            self._asked_at = at
            aside(self, self._ask, "receipt")

    async def _ask(self) -> None:
        words = self.counter.words
        try:
            detail = await self.counter.client.sale(self._sale.id)
        except ApiProblem as error:
            self.post_message(self.Came(None, words.notice(words.problem(error.problem))[0]))
        except ServiceUnreachable:
            self.post_message(self.Came(None, words("waiting.banner")))
        else:
            self.post_message(self.Came(detail))

    def on_receipt_screen_came(self, event: Came) -> None:
        """Show it; a receipt that is there already stays when asking again failed."""
        self._detail, self._why = event.detail or self._detail, event.why
        self.redraw()

    def hints(self, shown: Shown) -> Sequence[KeyHint]:
        """P, arrows, Esc."""
        words = shown.words
        prints = words("sales.print_first") if self._never_printed else words("sales.print_copy")
        return [KeyHint("P", prints, rank=0), KeyHint("↑↓", words("key_does.scroll"), rank=0), KeyHint("Esc", words("key_does.back"), rank=0)]

    @property
    def _never_printed(self) -> bool:
        return (self._detail.sale if self._detail else self._sale).print_state == "not_printed"

    def _heading(self, shown: Shown, cells: int) -> list[Line]:
        sale = self._sale
        when = shown.words.when(sale.at_ms, shown.now_ms, shown.snapshot.timezone)
        return [
            apart(
                line(" ", (sale.receipt, "strong"), (f"  {when}", "muted")), line((sale.total.text, "strong"), (f" {shown.snapshot.currency} ", "muted")), cells
            ),
            line(" ", (shown.words("sales.no_returns"), "muted")),
            BLANK,
        ]

    def _paper(self, shown: Shown, cells: int) -> list[Line]:
        if self._detail is None:
            return [line(" ", (self._why or shown.words("waiting.answer"), "muted"))]
        return [line("   ", row) for row in self._detail.receipt]

    def action_scroll(self, by: int) -> None:
        """Up and down."""
        self.query_one("#scroll").scroll_relative(y=by, animate=False)

    def action_print(self) -> None:
        """P."""
        self.counter.command(PrintReceipt(self._sale.id) if self._never_printed else Reprint(self._sale.id), self)

    def answered(self, command: AnyCommand, problem: NoticeView | None) -> None:
        """Say that it is on its way."""
        if problem is None:
            self.counter.say("sales.printing", "info", receipt=self._sale.receipt)
