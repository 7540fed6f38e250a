"""Pretrained networks with what is known of them, and small ones to be trained."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "architectures": ["family_tree"],
        "backbones": [
            "backbone_card",
            "backbone_names",
            "decode_predictions",
            "load_backbone",
            "multiply_adds",
        ],
        "costs": ["measure_costs"],
        "small": ["autoencoder", "narrow_network", "small_network", "student_network"],
    },
)
