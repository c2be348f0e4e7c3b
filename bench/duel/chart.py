"""The bar chart of the README: a small SVG, readable on white and on black."""

from xml.sax.saxutils import escape

from bench.duel.model import CONTROL
from bench.duel.rounds import WorkloadResult
from bench.duel.tables import number, value_of

# What the chart shows of what was measured: small, wide, logged, posted, streamed, waiting, encrypted.
SHOWN = ("hello-64", "browser", "access-log", "json-post", "streamed", "sleep-10ms", "tls", "starlette")
WIDTH = 840
LABEL_WIDTH = 190
VALUE_WIDTH = 80
BAR_HEIGHT = 15
BAR_GAP = 3
GROUP_GAP = 18
TITLE_HEIGHT = 22
HEAD_HEIGHT = 40

STYLE = """
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328; }
.title { font-size: 15px; font-weight: 600; }
.group { font-weight: 600; }
.ours { fill: #d97706; }
.peer { fill: #8c96a3; }
.control { fill: none; stroke: #8c96a3; stroke-dasharray: 3 2; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .ours { fill: #f59e0b; }
  .peer { fill: #6e7681; }
}
"""


def render(results: list[WorkloadResult], titles: dict[str, str], ours: str) -> str | None:
    """The SVG text, or None if nothing that it shows was measured."""
    known = {result.workload.name: result for result in results}
    lines: list[str] = []
    top = HEAD_HEIGHT
    for name in SHOWN:
        if name in known:
            group, height = render_group(known[name], titles, ours, top)
            lines += group
            top += height
    if not lines:
        return None
    size = f'viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" height="{top}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    title = "Requests per second from one core (longer is better; dashed: nginx without Python)"
    caption = f'<text class="title" x="8" y="22">{title}</text>'
    return (
        "\n".join([head, f"<title>{title}</title>", f"<style>{STYLE}</style>", caption, *lines, "</svg>"])
        + "\n"
    )


def render_group(
    result: WorkloadResult, titles: dict[str, str], ours: str, top: int
) -> tuple[list[str], int]:
    """The bars of one workload, scaled to its own best, and the height they take."""
    values = [
        (server, value) for server in result.outcomes if (value := value_of(result, server)) is not None
    ]
    if not values:
        return [], 0
    best = max(value for _, value in values)
    lines = [f'<text class="group" x="8" y="{top + 14}">{escape(result.workload.title)}</text>']
    y = top + TITLE_HEIGHT
    for server, value in values:
        kind = "ours" if server == ours else "control" if server == CONTROL else "peer"
        width = max(1.0, (WIDTH - LABEL_WIDTH - VALUE_WIDTH) * value / best)
        label = escape(titles.get(server, server))
        base = y + BAR_HEIGHT - 3
        lines += [
            f'<text x="{LABEL_WIDTH - 8}" y="{base}" text-anchor="end">{label}</text>',
            f'<rect class="{kind}" x="{LABEL_WIDTH}" y="{y}" width="{width:.1f}" '
            f'height="{BAR_HEIGHT}" rx="2"/>',
            f'<text x="{LABEL_WIDTH + width + 6:.1f}" y="{base}">{number(value)}</text>',
        ]
        y += BAR_HEIGHT + BAR_GAP
    return lines, y + GROUP_GAP - top
