"""Lists to read: what the counter said lately, and how every device stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from tui.drawing.rows import device_row, notice_row
from tui.screens.lists import ListScreen
from tui.shown import Shown
from tui.widgets.choices import Option, row_of


class NoticesScreen(ListScreen):
    """What was said on the notice line, newest first. Enter shows one in full."""

    topic: ClassVar[str] = "notices"
    with_entry: ClassVar[bool] = False

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("notices.title")

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """Ask the service."""
        notices = await self.counter.client.notices()
        self._notices = notices
        return [Option(str(at), row_of(notice_row, notice)) for at, notice in enumerate(notices)], "" if notices else self.counter.words("notices.none")

    def takes(self, shown: Shown) -> str:
        """Enter shows it on the notice line."""
        return shown.words("notices.show")

    def take(self, option: str) -> None:
        """The whole sentence, where there is room for its hint."""
        self.counter.say_notice(self._notices[int(option)])


class DevicesScreen(ListScreen):
    """Central and every device, with what is wrong and what to do."""

    topic: ClassVar[str] = "devices"
    with_entry: ClassVar[bool] = False

    def title_text(self, shown: Shown) -> str:
        """The heading."""
        return shown.words("devices.title")

    async def search(self, text: str) -> tuple[Sequence[Option], str]:
        """Ask the service."""
        devices = await self.counter.client.devices()
        return [Option(device.name, row_of(device_row, device)) for device in devices], "" if devices else self.counter.words("devices.none")

    def takes(self, shown: Shown) -> str:
        """Enter asks again."""
        return shown.words("devices.again")

    def take(self, option: str) -> None:
        """Ask again."""
        self.look()
