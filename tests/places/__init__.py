"""The course installs and runs on a learner's computer, Colab, Binder and a class's server."""
