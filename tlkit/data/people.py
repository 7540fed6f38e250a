"""Composed people who wear sunglasses or a hat: the pictures behind `sunglasses-or-hat`.

A person is put together from the parts of `python_avatars` (as SVG) and drawn by `resvg`.
Both classes share all that could give the answer away: the same hair (also under the hat), faces,
clothes, sizes, places, tilts and backgrounds; and four in ten who wear a hat wear glasses, too.
"""

import colorsys
import functools
import io
import math
import re
from dataclasses import dataclass

import numpy as np

CLASS_NAMES = ("sunglasses", "hat")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Written out, in this order, so that a new part in a later release changes no picture. Left out:
# hair that covers the eyes, that is a hat itself, or that would pierce one; HIJAB, TURBAN, JEDI
# and GLADIATOR_HELMET, which are no hats to everybody; lettering, which would need a font.
HAIR = _names(
    "NONE BIG_HAIR BOB CAESAR_SIDE_PART CAESAR CURLY CURVY DREADS FRO LONG_NOT_TOO_LONG "
    "MIA_WALLACE SHAGGY_MULLET SHAGGY SHAVED_SIDES SHORT_CURLY SHORT_DREADS_1 SHORT_DREADS_2 "
    "SHORT_FLAT SHORT_ROUND SHORT_WAVED SIDES STRAIGHT_1 STRAIGHT_2 STRAIGHT_STRAND BUZZCUT "
    "CORNROWS DREADLOCKS EINSTEIN_HAIR ELVIS LOOSE_HAIR MOHAWK MOWGLI PIXIE TWIST_LONG_HAIR "
    "TWIST_LONG_HAIR_2 WICK WILD"
)
SUNGLASSES = _names("SUNGLASSES SUNGLASSES_2 WAYFARERS WAYFARERS_2 KURT")
GLASSES = _names("PRESCRIPTION_1 PRESCRIPTION_2 ROUND")
HATS = _names("HAT WINTER_HAT_1 WINTER_HAT_2 WINTER_HAT_4 CHEF_CAP")
CLOTHES = _names(
    "BLAZER_SHIRT BLAZER_SWEATER COLLAR_SWEATER HOODIE OVERALL SHIRT_CREW_NECK SHIRT_SCOOP_NECK "
    "SHIRT_V_NECK BOND_SUIT CHEF SHIRT_WICK"
)
BEARDS = _names(
    "NONE NONE NONE NONE BEARD_LIGHT BEARD_MAGESTIC BEARD_MEDIUM MOUSTACHE_FANCY MOUSTACHE_MAGNUM"
)
EYES = _names("CLOSED DEFAULT EYE_ROLL HAPPY SIDE SQUINT SURPRISED WINK")
EYEBROWS = _names("DEFAULT_NATURAL DEFAULT FLAT_NATURAL RAISED_EXCITED SAD_CONCERNED UP_DOWN")
MOUTHS = _names("CONCERNED DEFAULT DISBELIEF GRIMACE SAD SERIOUS SMILE TONGUE TWINKLE BIG_SMILE")
NOSES = _names("DEFAULT SMALL WIDE")
SKINS = _names("TANNED PALE LIGHT BROWN DARK_BROWN BLACK")
HAIR_COLOURS = _names(
    "AUBURN BLACK BLONDE BLONDE_GOLDEN BROWN BROWN_DARK PASTEL_PINK PLATINUM RED SILVER_GRAY"
)
FABRICS = _names(
    "BLACK BLUE_01 BLUE_02 BLUE_03 GRAY_01 GRAY_02 HEATHER PASTEL_BLUE PASTEL_GREEN "
    "PASTEL_ORANGE PASTEL_YELLOW PINK RED WHITE"
)

# Of the drawing, in its own units: its size, and the middle of the head.
WIDTH, HEIGHT, HEAD = 264, 280, (132, 96)
# The person's width as a part of the picture's, and the tilt to either side in degrees.
SMALLEST, LARGEST, TILT = 60 / 128, 150 / 128, 25
# The darkest and the brightest picture, as a factor.
LIGHT = 0.85, 1.1
# Levels of 255: of the background's blotches, of the finest and the coarsest grain.
BLOTCHES, GRAIN = 30, (4, 18)
# Levels of 255: above rounding; by which the accessory must change a pixel to be seen there.
CHANGED, VISIBLE = 3, 24
# The part of the picture that the accessory must change.
ENOUGH = {"sunglasses": 0.003, "hat": 0.012}


class _Dice:
    """Random choices made from `random()` alone, the one method no NumPy release has changed."""

    def __init__(self, *entropy: int):
        self.generator = np.random.default_rng(entropy)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.generator.random()

    def pick(self, things):
        return things[int(len(things) * self.generator.random())]

    def chance(self, probability: float) -> bool:
        return self.generator.random() < probability

    def colour(self) -> str:
        rgb = colorsys.hsv_to_rgb(
            self.between(0, 1), self.between(0.1, 0.85), self.between(0.25, 1.0)
        )
        return "#" + "".join(f"{int(255 * part):02x}" for part in rgb)


@dataclass(frozen=True)
class _Person:
    """What a person looks like, and where in the picture the person stands."""

    parts: dict
    glasses: str
    hat: str | None
    hat_colour: str
    width: float
    tilt: float
    x: float
    y: float


def label_of(index: int, seed: int) -> int:
    """The class of picture `index`: each pair of pictures has one of either, in random order."""
    first = _Dice(seed, index // 2, 1).chance(0.5)
    return int(first) ^ (index % 2)


def _cast(dice: _Dice, label: int) -> _Person:
    """Draw lots for a person of the given class."""
    parts = {
        "top": dice.pick(HAIR),
        "facial_hair": dice.pick(BEARDS),
        "clothing": dice.pick(CLOTHES),
        "eyes": dice.pick(EYES),
        "eyebrows": dice.pick(EYEBROWS),
        "mouth": dice.pick(MOUTHS),
        "nose": dice.pick(NOSES),
        "skin_color": dice.pick(SKINS),
        "hair_color": dice.pick(HAIR_COLOURS),
        "clothing_color": dice.pick(FABRICS),
    }
    parts["facial_hair_color"] = parts["hair_color"]
    sunglasses, glasses, hat = dice.pick(SUNGLASSES), dice.pick(GLASSES), dice.pick(HATS)
    hat_colour, wears_glasses = dice.pick(FABRICS), dice.chance(0.4)
    width = dice.between(SMALLEST, LARGEST)
    # The head stays inside the picture, and hats need room above.
    margin = min(0.48, 66 * width / WIDTH)
    return _Person(
        parts=parts,
        glasses=sunglasses if label == 0 else glasses if wears_glasses else "NONE",
        hat=hat if label == 1 else None,
        hat_colour=hat_colour,
        width=width,
        tilt=dice.between(-TILT, TILT),
        x=dice.between(margin, 1 - margin),
        y=dice.between(min(0.5, 1.4 * margin), 1 - margin),
    )


@functools.cache
def _kind(part: str):
    """The enumeration that a part's names belong to."""
    import python_avatars as avatars

    singular = {"top": "hair", "eyes": "eye", "eyebrows": "eyebrow"}.get(part, part)
    name = singular.replace("facial_hair_color", "hair_color").title().replace("_", "")
    return getattr(avatars, name if name.endswith("Color") else f"{name}Type")


def _avatar(**parts) -> tuple[str, str]:
    """The name spaces of an avatar's SVG, and the SVG."""
    import python_avatars as avatars

    # Every mask in these drawings is a plain white shape. A clip path gives the same pixels faster.
    svg = avatars.Avatar(style=avatars.AvatarStyle.TRANSPARENT, **parts).render()
    svg = svg.replace("<mask", "<clipPath").replace("</mask>", "</clipPath>")
    svg = svg.replace('mask="url', 'clip-path="url')
    return " ".join(re.findall(r'xmlns:\w+="[^"]*"', svg)), svg


@functools.cache
def _hat_drawing(hat: str, colour: str) -> str:
    """The hat alone, as SVG elements."""
    import python_avatars as avatars

    spaces, svg = _avatar(top=avatars.HatType[hat], hat_color=avatars.ClothingColor[colour])
    start = svg.index(">", svg.index('id="transparent_Top"')) + 1
    drawing = svg[start : svg.rindex("</g>", 0, svg.rindex("</g>"))]
    return f"<g {spaces}>{drawing}</g>"


def _drawings(person: _Person) -> tuple[str, str]:
    """The person as SVG elements: with the accessory of its class, and without."""
    import python_avatars as avatars

    chosen = {part: _kind(part)[name] for part, name in person.parts.items()}

    def draw(glasses: str) -> str:
        spaces, svg = _avatar(accessory=avatars.AccessoryType[glasses], **chosen)
        return f"<g {spaces}>{svg[svg.index('>') + 1 : svg.rindex('</svg>')]}</g>"

    drawing = draw(person.glasses)
    # A hat goes over the hair, which is there anyway.
    if person.hat:
        return drawing + _hat_drawing(person.hat, person.hat_colour), drawing
    return drawing, draw("NONE")


def rasterise(svg: str) -> np.ndarray:
    """SVG text to pixels: uint8 (height, width, 4), RGB with straight alpha."""
    import resvg_py
    from PIL import Image

    png = resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True)
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGBA"))


def _svg(content: str, left: int, top: int, right: int, bottom: int) -> str:
    """A drawing of which only one rectangle of pixels is rendered."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{right - left}" height="{bottom - top}" '
        f'viewBox="{left} {top} {right - left} {bottom - top}">{content}</svg>'
    )


def _transform(person: _Person, size: int) -> str:
    """Where the drawing goes in a picture of `size` pixels, as an SVG transform."""
    scale, (x, y) = person.width * size / WIDTH, (person.x * size, person.y * size)
    return (
        f"translate({x:.3f} {y:.3f}) rotate({person.tilt:.3f}) scale({scale:.5f}) "
        f"translate({-HEAD[0]} {-HEAD[1]})"
    )


def _pixels(person: _Person, size: int) -> tuple[int, int, int, int]:
    """The pixels that the drawing can reach: left, top, right, bottom."""
    scale, turn = person.width * size / WIDTH, math.radians(person.tilt)
    cosine, sine = scale * math.cos(turn), scale * math.sin(turn)
    corners = [(u - HEAD[0], v - HEAD[1]) for u in (-8, WIDTH + 8) for v in (-30, HEIGHT)]
    across = [person.x * size + cosine * u - sine * v for u, v in corners]
    down = [person.y * size + sine * u + cosine * v for u, v in corners]
    return (
        max(0, math.floor(min(across))),
        max(0, math.floor(min(down))),
        min(size, math.ceil(max(across))),
        min(size, math.ceil(max(down))),
    )


def _background(dice: _Dice, size: int) -> np.ndarray:
    """A gradient between two colours, soft blotches and a few shapes: float (size, size, 3)."""
    from PIL import Image

    def blend(corners: np.ndarray) -> np.ndarray:
        sheets = [
            Image.fromarray(sheet).resize((size, size), Image.Resampling.BICUBIC)
            for sheet in corners.transpose(2, 0, 1).astype(np.float32)
        ]
        return np.stack([np.asarray(sheet) for sheet in sheets], axis=-1)

    one, other = (np.array(bytearray.fromhex(dice.colour()[1:])) for _ in range(2))
    across, down = dice.between(-1, 1), dice.between(-1, 1)
    slope = across * np.array([[-1, 1], [-1, 1]]) + down * np.array([[-1, -1], [1, 1]])
    picture = blend(one + (slope[..., None] / 4 + 0.5) * (other - one.astype(float)))
    picture += blend(BLOTCHES * (dice.generator.random((7, 7, 3)) - 0.5))
    shapes = ""
    for _ in range(int(dice.between(0, 5))):
        x, y, turn = dice.between(0, 1), dice.between(0, 1), dice.between(0, 180)
        wide, high = dice.between(0.06, 0.5), dice.between(0.03, 0.3)
        kind = f'rect width="{wide:.3f}" height="{high:.3f}"'
        if dice.chance(0.5):
            kind = f'ellipse rx="{wide / 2:.3f}" ry="{high / 2:.3f}"'
        shapes += (
            f'<{kind} transform="scale({size}) translate({x:.3f} {y:.3f}) rotate({turn:.1f})" '
            f'fill="{dice.colour()}" fill-opacity="{dice.between(0.35, 0.95):.2f}"/>'
        )
    box = (0, 0, size, size)
    return np.clip(_over(picture, rasterise(_svg(shapes, *box)), box), 0, 255)


def _over(background: np.ndarray, person: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    left, top, right, bottom = box
    alpha = person[..., 3:].astype(np.float32) / 255
    picture = background.copy()
    picture[top:bottom, left:right] *= 1 - alpha
    picture[top:bottom, left:right] += alpha * person[..., :3]
    return picture


def draw_person(index: int, image_size: int, seed: int) -> tuple[np.ndarray, int, np.ndarray]:
    """Picture `index` of a seed: the same one, however many are asked for.

    Returns the picture (uint8, size x size x 3), its label, and the mask of its accessory (bool,
    size x size): the pixels of the drawing that change when the accessory is taken off.
    """
    label = label_of(index, seed)
    dice = _Dice(seed, index, 2)
    background = _background(dice, image_size)
    while True:
        person = _cast(dice, label)
        transform = f'<g transform="{_transform(person, image_size)}">'
        box = _pixels(person, image_size)
        picture, bare = (
            _over(background, rasterise(_svg(f"{transform}{drawing}</g>", *box)), box)
            for drawing in _drawings(person)
        )
        change = np.abs(picture - bare).max(axis=-1)
        if (change > VISIBLE).mean() >= ENOUGH[CLASS_NAMES[label]]:
            break
    light, tint = dice.between(*LIGHT), 0.9 + 0.2 * dice.generator.random(3)
    grain = _Dice(seed, index, 3).generator.random((image_size, image_size, 3)) - 0.5
    strength = dice.between(*GRAIN)
    picture = picture * (light * tint).astype(np.float32) + (strength * grain).astype(np.float32)
    return np.clip(picture + 0.5, 0, 255).astype(np.uint8), label, change > CHANGED
