"""From pictures to a trained classifier: cached features against the usual recipe.

python benchmarks/recipe.py [--folder PICTURES | --data sunglasses-or-hat] [--train 350]

The recipe is that of Keras's transfer-learning guide: augmentation and the frozen network inside
`fit` for 20 epochs, then 10 epochs with everything unfrozen at a rate of 1e-5. Ours runs each
picture through the frozen network once and fits a linear head. Both get the same backbone, pictures
and machine, and both start from pictures in memory and nothing cached. Importing the libraries is
counted for neither.
"""

import argparse
import time

import keras
import sklearn.linear_model  # noqa: F401  what fit_linear_head imports when it is first called

import tlkit
from tlkit.scores import score


def guide(base, train, classes, seed):
    """The two phases of the guide; returns seconds and the model after each."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input(base.input_shape[1:])
    x = keras.layers.RandomFlip("horizontal")(inputs)
    x = keras.layers.RandomRotation(0.1)(x)
    base.trainable = False
    x = base(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.2)(x)
    model = keras.Model(inputs, keras.layers.Dense(classes)(x))

    def fit(rate, epochs):
        start = time.perf_counter()
        model.compile(
            keras.optimizers.Adam(rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        model.fit(train.images, train.labels, batch_size=32, epochs=epochs, verbose=0)
        return time.perf_counter() - start

    seconds = fit(1e-3, 20)
    yield "guide, frozen, 20 epochs", seconds, model
    base.trainable = True
    yield "guide, then unfrozen, 10 epochs", seconds + fit(1e-5, 10), model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="a folder of your own pictures, a sub-folder per class")
    parser.add_argument("--data", default="sunglasses-or-hat")
    parser.add_argument("--train", type=int, default=350)
    parser.add_argument("--test", type=int, default=500, help="pictures to test on, at the most")
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    size = options.image_size
    if options.folder:
        data = tlkit.load_folder(options.folder, image_size=size)
    else:
        number = options.train + options.test
        data = tlkit.load_dataset(options.data, n=number, image_size=size, seed=options.seed)
    train, test = data.split(train=options.train, seed=options.seed)
    if len(test) > options.test:
        test = test.take(options.test, seed=options.seed)
    print(f"{len(train)} pictures to train on, {len(test)} to test on, {size} px")

    start = time.perf_counter()
    base = tlkit.load_backbone("efficientnet-lite0", image_size=size)
    features = tlkit.extract_features(base, train.images, cache=False)
    model = tlkit.attach_head(base, tlkit.fit_linear_head(features, train.labels))
    ours = time.perf_counter() - start
    print(f"{'cached features, linear head':32} {ours:6.1f} s  {check(model, test)}")

    base = tlkit.load_backbone("efficientnet-lite0", image_size=size)
    for name, seconds, model in guide(base, train, len(data.class_names), options.seed):
        print(
            f"{name:32} {seconds:6.1f} s  {check(model, test)}  {seconds / ours:.0f} times as long"
        )


def check(model, test):
    return score(test.labels, model.predict(test.images, verbose=0))


if __name__ == "__main__":
    main()
