"""SVG by hand: shapes in named colours, written once for light and once for dark pages."""

THEMES = {
    "": {"ink": "#1d1d1f", "soft": "#8e8e93", "faint": "#d1d1d6", "page": "#ffffff",
         "0": "#0066cc", "1": "#c04a00", "2": "#1e7d34"},
    "~dark": {"ink": "#f5f5f7", "soft": "#98989d", "faint": "#48484a", "page": "#000000",
              "0": "#5eb0ff", "1": "#ff9f4a", "2": "#5fd07a"},
}  # fmt: skip


class Canvas:
    """Shapes in a box of width x height units; colours are names in THEMES."""

    def __init__(self, title, width=640, height=440):
        self.title, self.width, self.height = title, width, height
        self.shapes = []

    def add(self, tag, text=None, **attributes):
        self.shapes.append((tag, text, attributes))

    def line(self, a, b, colour="ink", width=1.5, **more):
        self.add("line", x1=a[0], y1=a[1], x2=b[0], y2=b[1], stroke=colour, stroke_width=width,
                 **more)  # fmt: skip

    def dot(self, at, radius=4.5, fill="ink", **more):
        self.add("circle", cx=at[0], cy=at[1], r=radius, fill=fill, **more)

    def polygon(self, corners, fill, **more):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
        self.add("polygon", points=points, fill=fill, **more)

    def text(self, at, words, colour="ink", size=14, anchor="middle"):
        self.add("text", words, x=at[0], y=at[1], fill=colour, font_size=size, text_anchor=anchor)

    def scale(self, ticks, label):
        """An upright axis: (y, words) for each tick, and what it measures."""
        self.text((8, 16), label, "soft", anchor="start")
        for y, words in ticks:
            self.line((56, y), (self.width - 10, y), "faint", 1)
            self.text((48, y + 5), words, "soft", anchor="end")

    def write(self, folder, name):
        for suffix, colours in THEMES.items():
            lines = [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}"'
                f' width="{self.width}" height="{self.height}" font-family="sans-serif" role="img">',
                f"<title>{self.title}</title>",
                f'<rect width="100%" height="100%" fill="{colours["page"]}"/>',
            ]
            for tag, text, attributes in self.shapes:
                words = "".join(
                    f' {key.replace("_", "-")}="{form(value, colours)}"'
                    for key, value in attributes.items()
                )
                lines.append(f"<{tag}{words}/>" if text is None else f"<{tag}{words}>{text}</{tag}>")
            (folder / f"{name}{suffix}.svg").write_text("\n".join(lines + ["</svg>", ""]))


def form(value, colours):
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0") if abs(value) >= 1 else f"{value:.2f}"
    return colours.get(value, value) if isinstance(value, str) else str(value)
