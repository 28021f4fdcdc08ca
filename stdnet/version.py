"""The version of this distribution, in one place: the build reads it from here, and so does ``stdnet.__version__``."""

__version__ = "1.0.0a1"
