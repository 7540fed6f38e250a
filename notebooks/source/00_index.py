# %% [markdown]
# # Transfer Learning, hands on
#
# You have a few hundred pictures, a laptop, and an afternoon. That is too little to train a deep
# network, and enough to borrow one. In eight lessons you will take a network that has learnt from
# a million photographs, and make it answer your own question.
#
# Nothing in this course needs a network once it is installed: pictures and pretrained weights
# came along.

# %% [markdown]
# ## Does everything work?
#
# Run this cell first: click into it and press **Shift + Enter**. Whatever is missing is named,
# with the way to mend it. It takes some seconds, most of them to load TensorFlow.

# %%
from tlkit.course import check_installation

check_installation()

# %% [markdown]
# ## The lessons
#
# Take them in order; each needs what the earlier ones showed. The times are what running the
# whole lesson took on a computer with two cores. Reading, trying and answering takes longer.
#
# <!-- lesson map -->

# %% [markdown]
# ## How a lesson works
#
# - **Run the cells from top to bottom** with Shift + Enter. The results of our run are already
#   there; yours replace them.
# - **A line that starts with ✓ is a claim.** The text says something, and this line has just
#   checked it on your computer.
# - **Move the sliders.** Each has a picture at its starting value, so you lose nothing if you
#   only read.
# - **Answer the exercises** at the end by replacing the `...`. An unanswered exercise only says
#   that it is still to do. Every lesson has a solved version in the folder `solutions`.
# - **Break things.** Keep a copy if you like; the originals are one `git checkout notebooks` away.

# %% [markdown]
# ## More to read
#
# - The [README](../README.md) says how to install the course elsewhere, and what to do when
#   something does not work.
# - [Where the course runs](../docs/platforms.md): Google Colab, Binder, a room without internet.
# - [The curriculum](../docs/curriculum.md): all that the course promises, line by line.
# - [For those who teach it](../docs/teaching/README.md): plans, notes for each lesson, slides.
#
# On Google Colab these pages are not at hand. There, follow *Read on GitHub* under the title first.
