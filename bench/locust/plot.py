"""Two panels over the number of users, requests a second and latency: SVG for light and dark."""

from collections.abc import Callable
from xml.sax.saxutils import escape

from bench.locust.history import Step

WIDTH, HEIGHT = 840, 330
PANEL_WIDTH, PANEL_HEIGHT = 320, 220
TOP, LEFT, GAP = 50, 70, 100
TICKS = 4
COLOURS = ("a", "b", "c", "d")

STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.axis { stroke: #8c96a3; stroke-width: 1; }
polyline { fill: none; stroke-width: 2; }
.a { stroke: #d97706; } .b { stroke: #2563eb; } .c { stroke: #059669; } .d { stroke: #9333ea; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .a { stroke: #f59e0b; } .b { stroke: #60a5fa; } .c { stroke: #34d399; } .d { stroke: #c084fc; }
}
"""

Value = Callable[[Step], float]


def render(series: dict[str, list[Step]]) -> str:
    """`series` by name, each from few users to many."""
    panels = [
        panel(series, "requests a second", lambda step: step.requests_per_s, LEFT),
        panel(
            series,
            "95 % are answered within, seconds",
            lambda step: step.p95_ms / 1e3,
            LEFT + PANEL_WIDTH + GAP,
        ),
    ]
    legend = []
    for i, name in enumerate(series):
        x = LEFT + i * 190
        y = HEIGHT - 14
        legend.append(f'<polyline class="{COLOURS[i % 4]}" points="{x},{y - 4} {x + 22},{y - 4}"/>')
        legend.append(f'<text x="{x + 28}" y="{y}">{escape(name)}</text>')
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    title = "<title>Requests a second and latency over the number of users</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *panels, *legend, "</svg>"]) + "\n"


def panel(series: dict[str, list[Step]], title: str, value: Value, left: int) -> str:
    """One pair of axes from zero, with a line a series."""
    most_users = max((step.users for steps in series.values() for step in steps), default=1)
    most = max((value(step) for steps in series.values() for step in steps), default=1.0) * 1.05 or 1.0
    bottom = TOP + PANEL_HEIGHT
    right = left + PANEL_WIDTH
    lines = [
        f'<text class="title" x="{left}" y="{TOP - 16}">{escape(title)}</text>',
        f'<polyline class="axis" points="{left},{TOP} {left},{bottom} {right},{bottom}"/>',
        f'<text x="{right}" y="{bottom + 34}" text-anchor="end">users</text>',
    ]
    for i in range(TICKS + 1):
        y = bottom - PANEL_HEIGHT * i / TICKS
        x = left + PANEL_WIDTH * i / TICKS
        users = most_users * i // TICKS
        lines.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{most * i / TICKS:.3g}</text>')
        lines.append(f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{users}</text>')
    for i, steps in enumerate(series.values()):
        points = " ".join(
            f"{left + PANEL_WIDTH * step.users / most_users:.1f},"
            f"{bottom - PANEL_HEIGHT * value(step) / most:.1f}"
            for step in steps
        )
        lines.append(f'<polyline class="{COLOURS[i % 4]}" points="{points}"/>')
    return "\n".join(lines)
