"""Pictures with labels: the data sets of the course, and folders of one's own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "datasets": [
            "compose_people",
            "dataset_names",
            "load_dataset",
            "load_folder",
            "verify_dataset",
        ],
        "image_dataset": ["ImageDataset"],
    },
)
