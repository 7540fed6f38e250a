"""What needs packages that a learner's installation has not: `make test-extras`."""

import os
import tempfile

# TensorFlow Datasets and Hugging Face look for their folders when they are loaded.
PLACE = tempfile.mkdtemp(prefix="tlkit-extras-")
os.environ["TFDS_DATA_DIR"] = os.path.join(PLACE, "tfds")
os.environ["HF_HOME"] = os.path.join(PLACE, "huggingface")
