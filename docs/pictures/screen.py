#!/usr/bin/env python3
"""Turns what `tmux capture-pane -e -p` prints into HTML: screen.py [light|dark] < screen > page.html"""

import html
import re
import sys

from wcwidth import wcswidth

THEMES = {
    "dark": ("#14171c", "#d7dae0", ["#3b4048", "#f2777a", "#8fc57c", "#e5c07b", "#6cb0f2", "#cf8dde", "#5cc4cf", "#d7dae0"]),
    "light": ("#fbfaf7", "#2a2d33", ["#2a2d33", "#c0262d", "#2f7d32", "#8a6d00", "#1f5fb8", "#9a2fa8", "#0b7a86", "#8a8d93"]),
}
GRAPHEME = re.compile(r"\x1b\[([0-9;]*)m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x0e\x0f]|(.(?:[\u0300-\u036f\u0600-\u0605\u064b-\u065f\ufe0f]|\u200d\S?)*)")


def css(state, theme):
    ground, ink, palette = THEMES[theme]
    fg, bg = state["fg"] or ink, state["bg"] or ground
    if state["reverse"]:
        fg, bg = bg, fg
    rules = [f"color:{fg}"]
    if bg != ground:
        rules.append(f"background:{bg}")
    if state["bold"]:
        rules.append("font-weight:700")
    if state["dim"]:
        rules.append("opacity:.6")
    return ";".join(rules)


def apply(state, codes, theme):
    palette = THEMES[theme][2]
    # Colours of the palette are written 38;5;N by some, 3N by others.
    codes = re.sub(r"\b([34])8;5;([0-7])\b", r"\1\2", codes)
    for code in (int(code or 0) for code in codes.split(";")):
        if code == 0:
            state.update(fg=None, bg=None, bold=False, dim=False, reverse=False)
        elif code in (1, 2, 7):
            state[{1: "bold", 2: "dim", 7: "reverse"}[code]] = True
        elif code == 22:
            state.update(bold=False, dim=False)
        elif code == 27:
            state["reverse"] = False
        elif 30 <= code <= 37:
            state["fg"] = palette[code - 30]
        elif 40 <= code <= 47:
            state["bg"] = palette[code - 40]
        elif code == 39:
            state["fg"] = None
        elif code == 49:
            state["bg"] = None


def main():
    theme = sys.argv[1] if len(sys.argv) > 1 else "dark"
    ground, ink, _ = THEMES[theme]
    state = dict(fg=None, bg=None, bold=False, dim=False, reverse=False)
    rows = []
    for line in sys.stdin.read().rstrip("\n").split("\n"):
        cells = []
        for match in GRAPHEME.finditer(line):
            if match.group(1) is not None:
                apply(state, match.group(1), theme)
            elif match.group(2):
                width = max(wcswidth(match.group(2)), 1)
                text = html.escape(match.group(2))
                cells.append(f'<i style="width:{width}ch;{css(state, theme)}">{text}</i>')
        rows.append("<div>" + "".join(cells) + "</div>")
    print(f"""<!doctype html><meta charset="utf-8"><style>
body{{margin:0;padding:14px;background:{ground};color:{ink};
font:15px/20px "DejaVu Sans Mono","Noto Sans Mono CJK SC","Noto Color Emoji",monospace}}
div{{height:20px;white-space:pre}} i{{display:inline-block;height:20px;font-style:normal;white-space:pre;
overflow:hidden;vertical-align:top;unicode-bidi:isolate}}</style>{"".join(rows)}""")


main()
