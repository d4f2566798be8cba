"""Lists to read: what the counter said lately, and how every device stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from edge_agent.views import DeviceView
from tui.drawing.line import Line
from tui.drawing.rows import device_advice, device_row, link_advice, notice_row
from tui.said import stands
from tui.screens.contradicted import ContradictedDialog
from tui.screens.in_full import InFullDialog
from tui.screens.lists import ListScreen
from tui.shown import Shown
from tui.widgets.choices import Choices, Option, row_of


class NoticesScreen(ListScreen):
    """What was said on the notice line, newest first. Enter shows one in full."""

    topic: ClassVar[str] = "notices"
    with_entry: ClassVar[bool] = False

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("notices.title")

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """Ask the service, and add what this screen said."""
        self._notices = notices = self.counter.said.among(await self.counter.client.notices(), self.counter.words)
        return [Option(str(at), row_of(notice_row, notice)) for at, notice in enumerate(notices)], "" if notices else self.counter.words("notices.none")

    def on_screen_resume(self) -> None:
        """Back from noting something: it is in the list no more."""
        super().on_screen_resume()
        if self.query(Choices):
            self.look()

    def takes(self, shown: Shown) -> str:
        """Enter shows it in full."""
        return shown.words("notices.show")

    def take(self, option: str) -> None:
        """The whole of it in a box; of what somebody has to see to, the box to note that it is done."""
        notice = self._notices[int(option)]
        self.counter.lay(ContradictedDialog(notice) if stands(notice) else InFullDialog(notice))


class DevicesScreen(ListScreen):
    """Central and every device, with what is wrong and what to do."""

    topic: ClassVar[str] = "devices"
    with_entry: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self._devices: list[DeviceView] = []

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("devices.title")

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """Ask the service."""
        self._devices = devices = await self.counter.client.devices()
        return [Option(device.name, row_of(device_row, device)) for device in devices], "" if devices else self.counter.words("devices.none")

    def _noted(self, shown: Shown, cells: int) -> list[Line]:
        """Why not everything goes to central, and what to do about each device that is not well, in full."""
        return [*link_advice(shown, cells), *(row for device in self._devices for row in device_advice(shown, device, cells))]

    def takes(self, shown: Shown) -> str:
        """Enter asks again."""
        return shown.words("devices.again")

    def take(self, option: str) -> None:
        """Ask again."""
        self.look()
