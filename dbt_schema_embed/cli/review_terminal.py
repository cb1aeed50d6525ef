"""A review on a terminal, by prompt_toolkit: full screen, no mouse, sixteen colours."""

from dbt_schema_embed.cli.review_desk import Desk
from dbt_schema_embed.cli.review_screen import screen

_STYLES = {
    "title": "reverse",
    "name": "bold",
    "dim": "",  # some terminals' palettes show grey as the background
    "keys": "ansicyan",
    "message": "bold",
    "asked": "bold",
    "cursor": "blink",
    "certain": "ansigreen",
    "likely": "ansiyellow",
    "doubtful": "ansired",
    "accepted": "ansigreen",
    "rejected": "ansired",
    "undecided": "ansiyellow",
}
_NAMED = {
    "c-m": "enter",
    "escape": "escape",
    "c-h": "backspace",
    "up": "up",
    "down": "down",
    "left": "left",
    "right": "right",
}


def run_desk(desk: Desk, *, color: bool) -> None:
    """Show ``desk`` until somebody quits.

    Raises:
        KeyboardInterrupt: on Ctrl-C.
    """
    from prompt_toolkit.application import Application
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.keys import Keys
    from prompt_toolkit.layout import FormattedTextControl, Layout, Window
    from prompt_toolkit.output import ColorDepth
    from prompt_toolkit.styles import Style

    def text() -> StyleAndTextTuples:
        size = app.output.get_size()
        lines = screen(desk, size.columns, size.rows)
        shown: StyleAndTextTuples = []
        for line in lines:
            shown += [(f"class:{style}", part) for style, part in line]
            shown.append(("", "\n"))
        return shown[:-1]

    keys = KeyBindings()

    def pressed(name: str) -> None:
        desk.press(name)
        if desk.over:
            app.exit()

    for key, name in _NAMED.items():
        keys.add(key, eager=True)(lambda _, name=name: pressed(name))

    @keys.add(Keys.Any)
    @keys.add(Keys.BracketedPaste)
    def _(event: KeyPressEvent) -> None:
        if desk.mode == "look":
            pressed(event.data)
            return
        for character in event.data:
            pressed(character)

    @keys.add("c-c")
    @keys.add("c-d")
    @keys.add("<sigint>")  # a Ctrl-C before the terminal hands keys over as they are, or a signal from elsewhere
    def _(event: KeyPressEvent) -> None:
        event.app.exit(exception=KeyboardInterrupt)

    app: Application[None] = Application(
        layout=Layout(Window(FormattedTextControl(text, show_cursor=False), always_hide_cursor=True)),
        key_bindings=keys,
        style=Style(list(_STYLES.items())),
        full_screen=True,
        color_depth=ColorDepth.DEPTH_4_BIT if color else ColorDepth.DEPTH_1_BIT,
    )
    app.ttimeoutlen = 0.05  # an escape key is answered at once, and arrows over a slow line still arrive whole
    app.run()
