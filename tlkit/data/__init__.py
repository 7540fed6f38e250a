"""Pictures with labels: the data sets of the course, and folders of one's own."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "copies": ["copies_of_known", "find_copies"],
        "datasets": ["compose_people", "dataset_names", "load_dataset", "verify_dataset"],
        "files": ["read_pictures"],
        "folders": ["load_folder"],
        "image_dataset": ["ImageDataset"],
        "sources": ["load_pictures"],
    },
)
