"""A page of NiceGUI that counts how often its button is pressed. The argument is its port."""

import sys

from nicegui import ui


@ui.page("/")
def page():
    count = {"pressed": 0}
    label = ui.label("pressed 0 times")

    def press():
        count["pressed"] += 1
        label.set_text(f"pressed {count['pressed']} times")

    ui.button("press", on_click=press)


ui.run(host="127.0.0.1", port=int(sys.argv[1]), reload=False, show=False, title="counter")
