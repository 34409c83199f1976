"""The headline scenarios as an SVG image, for light and dark pages."""

from html import escape

from .report import decimals

NAMES = {
    "asyncsockets": "AsyncSockets",
    "nio-pipeline": "SwiftNIO handlers",
    "nio-async": "NIOAsyncChannel",
    "go": "Go",
    "tokio": "Rust tokio",
    "c-epoll": "C epoll",
}
PANELS = [  # scenario, heading, what the bars are, figure, unit, how much of the figure that is
    ("chunk-100", "Echo, 100 connections", "user CPU per message", "user_us_per_message", "µs", 1),
    ("chunk-9000", "Echo, 9,000 connections", "user CPU per message", "user_us_per_message", "µs", 1),
    ("line-32", "Lines, 32 at a time", "user CPU per line", "user_us_per_message", "µs", 1),
    ("idle-9000", "9,000 idle connections", "memory for each", "bytes_per_connection", "KB", 1000),
]
WIDTH, MARGIN, GAP = 800, 24, 36
PANEL = (WIDTH - 2 * MARGIN - GAP) / 2
NAME, LABEL = 132, 100  # the columns left and right of the longest bar
HEAD, ROW, BAR = 46, 22, 12
STYLE = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; fill: #1f2328 }
    .heading { font-weight: 600; font-size: 14px }
    .quiet { fill: #59636e; font-size: 12px }
    .ours { font-weight: 600 }
    .card { fill: #ffffff; stroke: #d1d9e0 }
    rect.bar { fill: #a3adb8 }
    rect.bar.ours { fill: #e8502f }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .quiet { fill: #9aa4af }
      .card { fill: #0d1117; stroke: #30363d }
      rect.bar { fill: #59636f }
      rect.bar.ours { fill: #f4694a }
    }
"""


def chart(records):
    """The image, from the records of the JSON file; None if no headline scenario is among them."""
    figures = {(record["scenario"], record["system"]): record for record in records}
    panels = []
    for scenario, heading, what, key, unit, scale in PANELS:
        values = {system: figures.get((scenario, system), {}).get(key) for system in NAMES}
        values = {system: value / scale for system, value in values.items() if value is not None}
        if values:
            panels.append((heading, what, unit, values))
    if not panels:
        return None

    lines, top = [], MARGIN
    for left, right in zip(panels[::2], [*panels[1::2], None]):
        pair = [panel for panel in (left, right) if panel]
        for column, panel in enumerate(pair):
            lines += panel_lines(MARGIN + column * (PANEL + GAP), top, *panel)
        top += HEAD + max(len(values) for *_, values in pair) * ROW + 20
    height = top + 2
    summary = "; ".join(
        f"{heading}, {what}: " + ", ".join(f"{NAMES[name]} {decimals(value)} {unit}" for name, value in values.items())
        for heading, what, unit, values in panels
    )
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">',
        "  <title>What a message and a connection cost, shorter is better</title>",
        f"  <desc>{escape(summary)}</desc>",
        f"  <style>{STYLE}  </style>",
        f'  <rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
        *lines,
        f'  <text class="quiet" x="{WIDTH - MARGIN}" y="{height - 12}" text-anchor="end">shorter is better</text>',
        "</svg>",
        "",
    ])


def panel_lines(x, y, heading, what, unit, values):
    """One scenario: its heading, and a bar for each system on a scale of its own that begins at 0."""
    ours, longest = values.get("asyncsockets"), max(values.values())
    yield (
        f'  <text x="{x:g}" y="{y + 14}"><tspan class="heading">{heading}</tspan>'
        f'<tspan class="quiet" dx="8">{what}</tspan></text>'
    )
    for row, (system, value) in enumerate(values.items()):
        emphasis = " ours" if system == "asyncsockets" else ""
        width = max(1.5, value / longest * (PANEL - NAME - LABEL))
        baseline = y + HEAD + row * ROW - 4
        times = f'<tspan class="quiet" dx="6">{ratio(value / ours)}</tspan>' if ours and not emphasis else ""
        yield f'  <text class="name{emphasis}" x="{x:g}" y="{baseline}">{NAMES[system]}</text>'
        yield (
            f'  <rect class="bar{emphasis}" x="{x + NAME:g}" y="{baseline - BAR + 1.5:g}" width="{width:.1f}" '
            f'height="{BAR}" rx="2"/>'
        )
        yield (
            f'  <text class="value{emphasis}" x="{x + NAME + width + 6:.1f}" y="{baseline}">'
            f"{decimals(value)} {unit}{times}</text>"
        )


def ratio(value):
    return f"{value:.{2 if value < 0.95 else 1 if value < 10 else 0}f} ×"
