# %% [markdown]
# # 04b · Four cases, measured
#
# You have a pretrained network and pictures of your own. Should you keep the network as it is, let
# it move, or begin from nothing? A famous rule of thumb answers with two questions: how many labels
# do you have, and how similar is your task? In this lesson you learn the rule, and then you see
# what it is worth.
#
# ## What you will be able to do
#
# - name the four cases and what the rule advises for each;
# - read from a table where the advice wins and where it loses;
# - let your own training labels choose between strategies;
# - tell "there is nothing to find" from "nothing carries over";
# - keep the late layers of a network instead of the early ones;
# - make a network that was trained to classify draw masks.
#
# ## How long it takes
#
# An hour of reading and trying. Running everything takes under two minutes on two cores.
#
# ## What you need
#
# Lessons 03 and 04a. Everything is on your computer already.

# %% [markdown]
# ## A network that knows five digits
#
# To try every strategy many times, we need a network that trains in seconds. Here is one with three
# convolutions and three dense layers. Its first task: tell the handwritten digits 0 to 4 apart,
# each at a random place in the picture.

# %%
import tlkit
from tlkit import cases
from tlkit.exercises import Question, check, claim, quiz
from tlkit.scores import paired_difference, score

source = cases.source_digits()
source.show(12)

# %%
import keras
import numpy as np

network = cases.demonstration_network(classes=5, seed=0)
fade = keras.optimizers.schedules.CosineDecay(2e-3, 1200)
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
network.compile(keras.optimizers.Adam(fade), cross_entropy, metrics=["accuracy"])
history = network.fit(source.images, source.labels, batch_size=64, epochs=8, verbose=0).history
print(f"{len(source):,} pictures, {history['accuracy'][-1]:.1%} of them right at the end")

# %% [markdown]
# Now a new task: the digits 5 to 9, with only ten labels for each. We keep all layers but the last
# one, freeze them, and fit a new linear classifier on what the last of them gives (the *last
# features*). Beside it the same network, trained on the fifty pictures alone, from random weights.

# %%
few, test = cases.target_pictures(similar=True, large=False, seed=0)
body = keras.Model(network.inputs, network.get_layer("dense_2").output)
head = tlkit.fit_linear_head(body.predict(few.images, verbose=0), few.labels)
last_features = score(test.labels, head.predict(body.predict(test.images, verbose=0), verbose=0))

# %%
alone = cases.demonstration_network(classes=5, seed=100)
alone.compile(keras.optimizers.Adam(1e-3), cross_entropy)
alone.fit(few.images, few.labels, batch_size=32, epochs=100, verbose=0)
scratch = score(test.labels, alone.predict(test.images, verbose=0))
print(f"last features: {last_features}\nfrom scratch:  {scratch}")

# %%
gain = last_features.accuracy - scratch.accuracy
claim("with fifty labels the borrowed layers win", gain > 0.08, f"by {100 * gain:.0f} points")

# %% [markdown]
# ## The rule of thumb
#
# That was one case of four. The rule asks two questions.
#
# **How many labels?** With few labels only few weights can be trained, or the network learns its
# pictures by heart (that is overfitting). With many, everything may move.
#
# **How similar is the new task?** Early layers find edges and spots, which every picture has. Late
# layers find what the old task asked for. If the new one asks for something else, the late layers
# may be of no use, and it is better to leave out some of them.
#
# Where do few and similar end? One course calls 2,000 pictures few and a million many, dogs and
# wolves similar, dogs and flowers different, and admits that the border is a matter of taste. Here,
# on a laptop, *few* means 50 labels and *many* 1,800. *Similar* are the digits 5 to 9, *different*
# are patches of photographs: brick, grass, gravel, tissue under a microscope, and the night sky.

# %%
cases.texture_patches(12).show(12)


# %% [markdown]
# Choose a case below (in a running notebook), and see what the rule would do with each layer.


# %% tags=["row-D8"]
def advise(labels="few", task="similar"):
    return cases.draw_case(labels, task)


tlkit.widgets.explore(advise, labels=["few", "many"], task=["similar", "different"])

# %% [markdown]
# Few labels, similar task: only the last layer is new, and nothing else moves. The other three:

# %%
cases.draw_case("few", "different")

# %% [markdown]
# Few labels, different task: the classifier sits on *earlier* features, and the late layers are
# left out. Which depth is best has to be tried; the drawing takes the second convolution.

# %%
cases.draw_case("many", "similar")

# %% [markdown]
# Many labels, similar task: **fine-tune all**. The kept layers start from what they know.

# %%
cases.draw_case("many", "different")

# %% [markdown]
# Many labels, different task: here **the sources disagree**. Some say to train from random weights,
# since the labels suffice. Others, such as the CS231n notes, say that even then it often pays to
# start from pretrained weights.

# %% [markdown]
# ## Every strategy in every case
#
# Advice is cheap, and on a laptop so is the experiment. The stored table holds five strategies in
# all four cases, for five seeds: five source networks, each with training pictures of its own.
# (`make experiments` computes it again.)
#
# - **last features**: a linear classifier on the last frozen layer, as above;
# - **earlier features**: a linear classifier on another frozen layer;
# - **train the dense layers**: the convolutions stay frozen, all after them goes on training;
# - **fine-tune all**: everything goes on training, after the new head has settled;
# - **from scratch**: the same network from random weights.
#
# What a strategy leaves open (the depth, the rate, how hard to fit) was chosen for each case on
# pictures held back from the training labels. The test was opened once for each number.
#
# Three **controls** stand below. Two are linear classifiers on a network with *random* weights: if
# they do as well as the pretrained one, nothing was carried over. The last one looks at the raw
# pixels.

# %%
from tlkit.paths import read_experiment

table = read_experiment("four_cases")
names = list(dict.fromkeys(row["strategy"] for row in table))
controls = [name for name in names if name.startswith(("random", "raw"))]
strategies = ["last features", "earlier features", "train the dense layers", "fine-tune all"]
strategies += ["from scratch"]


# %%
def runs(size, task, strategy, what="test"):
    """The accuracies of five seeds."""
    wanted = (size, task, strategy)
    rows = [row for row in table if (row["size"], row["task"], row["strategy"]) == wanted]
    return np.array([row[what] for row in sorted(rows, key=lambda row: row["seed"])])


# %%
columns = {f"{size} labels,\n{task}": (size, task) for size, task in cases.RULE}
means = [[runs(*case, name).mean() for case in columns.values()] for name in strategies + controls]
advice = {name: cases.RULE[case] for name, case in columns.items()}

# %% tags=["row-D8"]
title = "Accuracy on the test, mean of five seeds"
cases.case_map(means, strategies, list(columns), advice, controls, title)

# %% [markdown]
# Each column is a case. The shades run from the worst to the best in each column. An orange frame
# is what the rule advises, a star is what won.
