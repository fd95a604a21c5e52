"""The chart of a bench: bars for each case, figure by figure; readable on light and dark pages."""

from html import escape

from ends import TITLES
from results import CLIENTS, FIGURES, short

PANELS = ["client CPU", "wall time", "peak memory"]
COLOURS = {"rclone": "#9aa5b1", "best": "#5b8def", "nightferry": "#f28c28"}
LABELS, PANEL, BAR, GAP, TOP = 170, 225, 11, 14, 58
# What a bar may take of its panel; the rest is for its figure.
LONGEST = 140
STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
.head { font-weight: 600 } .small { font-size: 10px } .quiet { fill: #656d76 }
line { stroke: #d1d9e0 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .quiet { fill: #9198a1 } line { stroke: #3d444d }
}"""


def svg(cases):
    """An SVG document; every group of bars has its own scale, its longest bar fills it."""
    height_of_case = len(CLIENTS) * BAR + GAP
    width, height = LABELS + len(PANELS) * PANEL, TOP + len(cases) * height_of_case + 8
    drawn = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
             f'viewBox="0 0 {width} {height}" role="img" '
             f'aria-label="rclone, rclone at its best and Nightferry compared; shorter is better">',
             f"<style>{STYLE}</style>", *legend(), *heads()]
    for number, (case, by_client) in enumerate(cases.items()):
        top = TOP + number * height_of_case
        drawn += labels(case, top)
        for panel, head in enumerate(PANELS):
            drawn += bars(by_client, FIGURES[head], LABELS + panel * PANEL, top)
    return "\n".join(drawn + ["</svg>"]) + "\n"


def legend():
    x = LABELS
    for name, title in CLIENTS.items():
        yield f'<rect x="{x}" y="6" width="10" height="10" rx="2" fill="{COLOURS[name]}"/>'
        yield text(x + 15, 15, title)
        x += 30 + 7 * len(title)
    yield text(x, 15, "shorter is better", "quiet")


def heads():
    for panel, head in enumerate(PANELS):
        each = " for each object or GiB" if head == "client CPU" else ""
        yield text(LABELS + panel * PANEL, 40, head + each, "head")
    yield f'<line x1="0" y1="48" x2="{LABELS + len(PANELS) * PANEL}" y2="48"/>'


def labels(case, top):
    profile, servers, latency_ms = case
    distance = f", {latency_ms} ms away" if latency_ms else ""
    yield text(0, top + 14, profile, "head")
    yield text(0, top + 28, f"{TITLES[servers]}{distance}", "small quiet")


def bars(by_client, figure, left, top):
    most = max(figure(row)[0] for row in by_client.values())
    for number, name in enumerate(CLIENTS):
        if name not in by_client:
            continue
        value, unit = figure(by_client[name])
        length, y = max(1, LONGEST * value / most), top + number * BAR
        yield (f'<rect x="{left}" y="{y}" width="{length:.1f}" height="{BAR - 2}" rx="2" '
               f'fill="{COLOURS[name]}"/>')
        yield text(left + length + 5, y + BAR - 3, f"{short(value)} {unit}", "small")


def text(x, y, words, style=""):
    return f'<text x="{x:.1f}" y="{y}" class="{style}">{escape(words)}</text>'
