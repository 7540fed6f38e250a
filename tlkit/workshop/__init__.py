"""From a folder of pictures to a classifier that can be taken home (lesson 07)."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "app_page": ["app"],
        "attempts": ["Attempts", "compare_backbones"],
        "classifier": ["ImageClassifier"],
        "evaluation": ["Evaluation"],
        "export": ["Export", "export_formats"],
        "recommendation": ["Recommendation", "recommend"],
        "train": ["train_classifier"],
    },
)
