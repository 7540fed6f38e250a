"""What makes a notebook a lesson: claims, exercises, a quiz, widgets, and the set-up."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "claims": ["ClaimError", "claim"],
        "exercises": ["check", "reveal"],
        "installation": ["check_installation"],
        "quizzes": ["Question", "quiz"],
        "results": ["Results", "results"],
        "widgets": ["explore"],
    },
)
