"""tlkit: the thin package behind the course Transfer Learning, hands on.

Importing it is instant: TensorFlow and Keras are loaded by the first function that needs them.
"""

import logging
import os

import lazy_loader

# TensorFlow's C++ side greets on stderr when it loads; in a notebook that is noise.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Its Python side warns of compiling "too often" when a lesson uses several models, as it should.
# A filter, for TensorFlow sets its logger's level itself when it is loaded in a notebook.
logging.getLogger("tensorflow").addFilter(lambda record: record.levelno >= logging.ERROR)

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=[
        "course",
        "data",
        "diagnosis",
        "lessons",
        "networks",
        "distillation",
        "errors",
        "explain",
        "features",
        "finetuning",
        "heads",
        "learning_rates",
        "plots",
        "representations",
        "scores",
        "workshop",
    ],
    submod_attrs={
        "networks": [
            "backbone_card",
            "backbone_names",
            "decode_predictions",
            "load_backbone",
            "multiply_adds",
            "small_network",
            "student_network",
        ],
        "data": ["ImageDataset", "load_dataset", "load_folder", "load_pictures"],
        "diagnosis": ["diagnose"],
        "distillation": ["distill", "soften"],
        "features": ["extract_features"],
        "finetuning": ["FineTuned", "fine_tune", "unfreeze"],
        "heads": ["attach_head", "fit_linear_head"],
        "learning_rates": [
            "differential_optimizer",
            "draw_groups",
            "find_learning_rate",
            "layer_groups",
        ],
        "course": ["check_installation", "results"],
        "workshop": ["ImageClassifier", "recommend", "train_classifier"],
    },
)
__all__ = [*__all__, "__version__"]
