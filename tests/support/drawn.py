"""Texts of a figure as they are rendered, with their boxes."""

from itertools import combinations

from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg


class Recorder(RendererAgg):
    """A renderer that remembers the texts that it draws."""

    def __init__(self, figure):
        super().__init__(*FigureCanvasAgg(figure).get_width_height(), figure.dpi)
        self.texts = []

    def draw_text(self, gc, x, y, s, prop, angle, ismath=False, mtext=None):
        if s.strip() and mtext is not None:
            self.texts.append((mtext.get_text(), mtext.get_window_extent(self)))
        super().draw_text(gc, x, y, s, prop, angle, ismath, mtext)


def faults(figure):
    """Texts that leave the figure, and pairs that overlap."""
    if figure.get_layout_engine() is not None:  # it needs more than one drawing
        figure.draw_without_rendering()
    recorder = Recorder(figure)
    figure.draw(recorder)
    page = figure.bbox.padded(1)
    outside = [text for text, box in recorder.texts if not (page.contains(*box.min) and page.contains(*box.max))]
    overlapping = [(a, b) for (a, first), (b, second) in combinations(recorder.texts, 2) if _overlap(first, second)]
    return outside, overlapping


def _overlap(first, second):
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    return width > 1 and height > 1
