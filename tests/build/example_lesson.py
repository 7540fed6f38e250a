"""A lesson in miniature that keeps every rule of the house; the tests break it in many ways."""

from pathlib import Path

NAME = "91_example"

SOURCE = """\
# %% [markdown]
# # An example
# ## What you will be able to do
# Count. See [the curriculum](../docs/curriculum.md), [the next](92_other.ipynb#part),
# [a site](https://example.org), [the index](00_index.ipynb) and ![a picture](pictures/dot.png).
# ## How long it takes
# A minute.
# ## What you need
# Fingers.

# %% tags=["row-A1", "nbval-check-output"]
from tlkit.course import Question, check, claim, quiz

print("five fingers")

# %% tags=["nbval-check-output"]
claim("a hand has five fingers", 2 + 3 == 5, "2 + 3")

# %% [markdown] tags=["row-A2"]
# That is the whole idea.

# %% tags=["nbval-check-output"]
2 * 5

# %% tags=["nbval-check-output"]
print("ten", "toes")

# %% tags=["nbval-check-output"]
print("twenty in all")

# %% [markdown]
# ## What you measured
# Hands.
# ## Quiz

# %% tags=["quiz"]
quiz(
    [
        Question(f"Is {n} odd?", [("yes", "Right: it is."), ("no", "No: halve it.")])
        for n in (1, 3, 5, 7, 9)
    ]
)

# %% [markdown]
# ## Exercises

# %% tags=["exercise"]
# STUB
one = ...
# SOLUTION
one = 41 - 40
# END
check(one, 1)

# %% tags=["exercise"]
def double(x):
    # STUB
    return ...
    # SOLUTION
    return x + x
    # END


check(double, cases=[((2,), 4)])

# %% tags=["exercise"]
# STUB
three = None
# SOLUTION
three = 1 + 1 + 1
# END
check(three, 3)

# %% tags=["exercise"]
# STUB
# SOLUTION
four = three + one
print("the answer is", four)
# END
check(four if "four" in globals() else None, 4)

# %% [markdown]
# ## Further reading
# A book.
# ## Curriculum rows
# A1 and A2.
"""


def write_lesson(folder: Path, source: str = SOURCE, name: str = NAME) -> Path:
    """Write a source file and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(source, encoding="utf-8")
    return path
