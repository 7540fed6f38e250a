"""Pictures from TensorFlow Datasets and from Hugging Face, by these packages' own means."""

import contextlib
import functools
import http.server
import io
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests.package.tiny_workshop import SIZE, pictures, write_folder
from tlkit import load_pictures
from tlkit.errors import InputError, MissingFileError

datasets = pytest.importorskip("datasets")
tfds = pytest.importorskip("tensorflow_datasets")
DATA = pictures((6, 4))
NAMES = list(DATA.class_names)


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()


def same(loaded, data=DATA):
    def told(them):
        pairs = zip(them.images, them.labels, strict=True)
        return {(each.tobytes(), them.class_names[label]) for each, label in pairs}

    return told(loaded) == told(data)


# --- TensorFlow Datasets ---


@contextlib.contextmanager
def serving(folder):
    """A server on this computer that gives the files of a folder away."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class TinyPatterns(tfds.core.GeneratorBasedBuilder):
    """Two parts, fetched as an archive from a server."""

    VERSION = tfds.core.Version("1.0.0")
    address = ""

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(None, None, 3)),
            "image/filename": tfds.features.Text(),
            "label": tfds.features.ClassLabel(names=NAMES),
        }
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(features),
            supervised_keys=("image", "label"),
            homepage="https://example.org/patterns",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager):
        where = dl_manager.download_and_extract(f"{self.address}/pets.zip")
        return {"train": self._generate_examples(where), "test": self._generate_examples(where)}

    def _generate_examples(self, where):
        files = sorted(where.glob("*/*.png"), key=lambda file: int(file.stem))
        for place, file in enumerate(files):
            row = {"image": file, "image/filename": file.name, "label": file.parent.name}
            yield place, row


@pytest.fixture(scope="module")
def patterns(tmp_path_factory):
    root = tmp_path_factory.mktemp("served")
    with zipfile.ZipFile(root / "pets.zip", "w") as packed:
        for path in write_folder(root / "pets", (6, 4), seed=0).rglob("*.png"):
            packed.write(path, path.relative_to(root / "pets"))
    with serving(root) as TinyPatterns.address:
        yield "tiny_patterns"


def test_a_name_in_tensorflow_datasets(patterns):
    loaded = load_pictures(patterns, SIZE)
    assert same(loaded) and loaded.source == "https://example.org/patterns"
    assert "part='test'" in loaded.notes[0]
    some = load_pictures(patterns, SIZE, n=2, part="test", seed=5)
    assert some.counts().tolist() == [2, 2] and not some.notes
    assert same(load_pictures(patterns, SIZE, n=2, part="test", seed=5), some)


def test_a_loaded_data_set_of_tensorflow_datasets(patterns):
    load_pictures(patterns, SIZE)
    rows = tfds.load(patterns, split="train")
    assert same(load_pictures(rows, SIZE, class_names=NAMES))
    pairs = tfds.load(patterns, as_supervised=True)
    assert same(load_pictures(pairs, SIZE, class_names=NAMES, part="test"))


def test_a_misspelt_name_brings_the_nearest_to_mind(patterns):
    with pytest.raises(InputError, match=r"no data set 'tiny_patern'\. Did you mean tiny_patterns"):
        load_pictures("tiny_patern")
    with pytest.raises(InputError, match="no part 'valid'"):
        load_pictures(patterns, part="valid")


def test_what_cannot_be_fetched_is_said(tmp_path):
    class Nowhere(TinyPatterns):
        address = ""

    with (
        serving(tmp_path) as Nowhere.address,
        pytest.raises(MissingFileError, match="'nowhere' could not be fetched"),
    ):
        load_pictures("nowhere")


# --- Hugging Face ---


def rows(**columns):
    images = [{"bytes": png(image), "path": None} for image in DATA.images]
    features = datasets.Features(
        {"image": datasets.Image(), "label": datasets.ClassLabel(names=NAMES)}
    )
    return datasets.Dataset.from_dict({"image": images, "label": DATA.labels}, features=features)


def test_rows_kept_on_disk(tmp_path):
    rows().save_to_disk(tmp_path / "saved")
    loaded = load_pictures(datasets.load_from_disk(tmp_path / "saved"), SIZE)
    assert same(loaded) and not loaded.notes


def test_rows_in_parts_and_as_a_stream():
    both = datasets.DatasetDict(train=rows(), test=rows().select(range(6)))
    assert same(load_pictures(both, SIZE)) and len(load_pictures(both, SIZE, part="test")) == 6
    stream = rows().to_iterable_dataset()
    assert same(load_pictures(stream, SIZE))
    for source in (rows(), stream):
        some = load_pictures(source, SIZE, n=3, seed=1)
        assert some.counts().tolist() == [3, 3]
        assert same(load_pictures(source, SIZE, n=3, seed=1), some)


def test_a_name_of_hugging_face_that_is_a_folder_here(tmp_path):
    folder = write_folder(tmp_path / "pets" / "train", (6, 4), seed=0)
    loaded = load_pictures(f"hf:{folder.parent}", SIZE)
    assert same(loaded)


def test_a_name_of_hugging_face_that_cannot_be_fetched():
    with pytest.raises(MissingFileError, match="'nobody/nothing' of Hugging Face could not be"):
        load_pictures("hf:nobody/nothing")


def test_other_columns_and_damaged_rows():
    table = rows().cast_column("image", datasets.Image(decode=False))
    broken = [b"no picture", *[row["bytes"] for row in table["image"]][1:]]
    features = datasets.Features({"photo": datasets.Image(), "kind": datasets.Value("string")})
    kinds = [NAMES[label] for label in DATA.labels]
    data = datasets.Dataset.from_dict({"photo": broken, "kind": kinds}, features=features)
    with pytest.raises(InputError, match="columns photo, kind"):
        load_pictures(data, SIZE)
    loaded = load_pictures(data, SIZE, columns=("photo", "kind"))
    assert len(loaded) == 9 and loaded.skipped[0][0] == "row 0"
    assert loaded.class_names == tuple(sorted(NAMES))


def test_labels_that_are_missing_are_left_out():
    features = datasets.Features({"image": datasets.Image(), "label": datasets.Value("int64")})
    images = [{"bytes": png(image), "path": None} for image in DATA.images]
    labels = [-1, *DATA.labels[1:].tolist()]
    data = datasets.Dataset.from_dict({"image": images, "label": labels}, features=features)
    loaded = load_pictures(data, SIZE, class_names=NAMES)
    assert len(loaded) == 9 and loaded.skipped == (("row 0", "no class is given"),)
    assert np.array_equal(loaded.images, DATA.images[1:])
