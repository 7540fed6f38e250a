"""What is broken on purpose in a lesson, to see which of its claims notice."""

# What to break. Each is Python that runs before the lesson's first cell.
RANDOM_WEIGHTS = """
import keras as _keras, tlkit, tlkit.networks.backbones as _backbones
_load = _backbones.load_backbone

def _load_untrained(*arguments, **more):
    _keras.utils.set_random_seed(0)
    if len(arguments) > 3:
        arguments = (*arguments[:3], None, *arguments[4:])
    else:
        more["weights"] = None
    return _load(*arguments, **more)

_backbones.load_backbone = tlkit.load_backbone = _load_untrained
"""

# The pretrained networks, and those whose first layers the transfer experiment moves.
RANDOM_EVERYWHERE = f"""{RANDOM_WEIGHTS}
import tlkit.lessons.transferability as _transfer
_fill = _transfer.Trainer.fill
_transfer.Trainer.fill = lambda self, seed, giver=None, layers=0: _fill(self, seed)
"""

ONE_RATE = """
import tlkit, tlkit.learning_rates as _rates
_make = _rates.differential_optimizer

def _one_rate(model, learning_rate=1e-3, ratio=3.0, *arguments, **more):
    return _make(model, learning_rate, 1.0, *arguments, **more)

_rates.differential_optimizer = tlkit.differential_optimizer = _one_rate
"""

NOTHING_LEARNT = (
    RANDOM_WEIGHTS
    + """
import dataclasses as _dataclasses, numpy as _np, tlkit.lessons.cases as _cases
_source = _cases.source_digits

def _wrong_labels():
    data = _source()
    return _dataclasses.replace(data, labels=_np.random.default_rng(0).permutation(data.labels))

_cases.source_digits = _wrong_labels
"""
)

UNTRAINED_TEACHER = """
import keras as _keras, tlkit, tlkit.finetuning as _finetuning

def _not_tuned(model, train, *arguments, **more):
    size = train.images.shape[1]
    base = tlkit.load_backbone(image_size=size, weights=None)
    _keras.utils.set_random_seed(0)
    classes = len(train.class_names)
    features = _keras.Input(base.output_shape[-1:])
    head = _keras.Model(features, _keras.layers.Dense(classes, name="logits")(features))
    return _finetuning.FineTuned(tlkit.attach_head(base, head), {}, 0)

_finetuning.fine_tune = tlkit.fine_tune = _not_tuned
"""
