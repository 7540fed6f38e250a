# %% [markdown]
# # 02 · Representation learning
#
# The same pictures can be hard or easy to tell apart. It depends on how they are written down. This
# lesson shows what a network does about that, layer by layer, and which of its layers serve other
# tasks than their own. Everything later in the course rests on it.
#
# ## What you will be able to do
#
# - show that one and the same task is hard in one representation and easy in another;
# - watch a small network find the easy one by itself;
# - measure what each layer of a pretrained network is worth to you, in one pass;
# - repeat a famous experiment: which layers can be moved to another task, and which cannot;
# - learn from pictures that have no labels, and judge what that is worth.
#
# ## How long it takes
#
# An hour and a half of reading and trying. Running everything takes under two minutes on two cores.
#
# ## What you need
#
# Lesson 01. Everything is on your computer already.

# %% [markdown]
# ## Two rings
#
# Here are three hundred points of two classes. One class lies on a ring, the other on a larger ring
# around it. We ask the simplest classifier there is, a **linear** one, to tell them apart. It may
# draw one straight line, no more.

# %%
import numpy as np
from sklearn.linear_model import LogisticRegression

import tlkit
from tlkit.course import Question, check, claim, quiz
from tlkit.representations import point_panels
from tlkit.scores import paired_difference, score


# %%
def rings(radius=2.0, noise=0.2, seed=0):
    """150 points on a ring of radius 1 (class 0) and 150 on a larger ring (class 1)."""
    rng, labels = np.random.default_rng(seed), np.repeat([0, 1], 150)
    distance = np.where(labels == 1, radius, 1.0) + rng.normal(0, noise, 300)
    angle = rng.uniform(-np.pi, np.pi, 300)
    return np.column_stack([distance * np.cos(angle), distance * np.sin(angle)]), labels


points, labels = rings()
line = LogisticRegression().fit(points, labels)

# %% tags=["nbval-check-output"]
names = ["inner ring", "outer ring"]
print(f"a straight line gets {line.score(points, labels):.0%} of the points right")

# %% [markdown]
# That is hardly better than tossing a coin. Now the same points, written down differently: not how
# far *right* and how far *up*, but how far *from the middle* and in which *direction*. These two
# numbers are called polar coordinates.


# %%
def polar(points):
    x, y = points.T
    return np.column_stack([np.hypot(x, y), np.arctan2(y, x)])


in_polar = LogisticRegression().fit(polar(points), labels)

# %% tags=["row-B1"]
point_panels(
    [points, polar(points)],
    labels,
    names,
    ["right and up", "distance and direction"],
    axis_labels=[("x", "y"), ("distance r", "direction θ")],
    boundaries=[line.decision_function, in_polar.decision_function],
    columns=2,
    alt="Left: two rings, one inside the other, and a straight line that separates nothing. Right: "
    "the same points as two upright bands with a straight line between them.",
)

# %% [markdown]
# The black line is the classifier's. On the left no straight line can do the job. On the right the
# rings have become two bands, and one line is enough.

# %%
right, right_in_polar = line.score(points, labels), in_polar.score(polar(points), labels)
claim("a straight line fails on the rings", right < 0.7, f"{right:.0%}")
claim(
    "and does well on the same points in polar form", right_in_polar > 0.97, f"{right_in_polar:.0%}"
)

# %% [markdown]
# Nothing was added. No point moved closer to its friends by itself. Only the **representation**
# changed: the numbers that stand for each point. That is the central idea of this lesson.
#
# Now you. In a running notebook, make the outer ring smaller, and the noise stronger.


# %%
def two_views(radius=2.0, noise=0.2):
    points, labels = rings(radius, noise)
    views = [points, polar(points)]
    lines = [LogisticRegression().fit(view, labels) for view in views]
    right = [line.score(view, labels) for line, view in zip(lines, views)]
    titles = [f"{name}: {share:.0%} right" for name, share in zip(("x, y", "r, θ"), right)]
    cuts = [line.decision_function for line in lines]
    axes = [("x", "y"), ("distance r", "direction θ")]
    look = {"axis_labels": axes, "boundaries": cuts, "columns": 2}
    return point_panels(views, labels, names, titles, **look)


tlkit.course.explore(two_views, radius=(1.0, 3.0, 0.1), noise=(0.0, 0.6, 0.05))

# %% [markdown]
# With enough noise the rings run into each other, and then the good representation fails as well.
# It can bring out what the numbers hold. It cannot invent what they lost.

# %%
blurred, _ = rings(radius=1.3, noise=0.4)
still = LogisticRegression().fit(polar(blurred), labels).score(polar(blurred), labels)
claim("rings that overlap are hard in any form", still < 0.8, f"{still:.0%} in polar form")

# %% [markdown]
# ## A network finds one by itself
#
# We knew that polar form would help. For photographs nobody knows such a trick. So let a network
# look for one. This one turns x and y into sixteen numbers, then into two, and ends with a single
# straight line through those two. Only the labels tell it what would be useful.

# %%
import keras

keras.utils.set_random_seed(0)
layers = keras.layers
to_hidden = keras.Sequential([keras.Input((2,)), layers.Dense(16, "relu"), layers.Dense(2)])
network = keras.Sequential([to_hidden, layers.Dense(1)])
network.compile(keras.optimizers.Adam(0.01), keras.losses.BinaryCrossentropy(from_logits=True))

# %% [markdown]
# The two numbers in the middle are the network's own representation. We can draw it. Here is a
# function that looks at it, and at the line that the last layer draws through it.


# %%
def look_inside():
    weights, bias = network.layers[-1].get_weights()
    hidden = np.asarray(to_hidden(points))
    share = np.mean(((hidden @ weights + bias)[:, 0] > 0) == labels)
    return hidden, lambda places: (places @ weights + bias)[:, 0], share


# %%
seen = [look_inside()]
for more in (3, 3, 34):  # epochs: so many times through all the points
    network.fit(points, labels, batch_size=32, epochs=more, verbose=0)
    seen.append(look_inside())

# %%
hidden, cuts, shares = zip(*seen)
point_panels(
    hidden,
    labels,
    names,
    [f"{n} epochs: {share:.0%} right" for n, share in zip((0, 3, 6, 40), shares)],
    axis_labels=("hidden number 1", "hidden number 2"),
    boundaries=cuts,
    columns=4,
    alt="Four panels from before training to 40 epochs: the two rings, first folded over each "
    "other, are pulled apart until a straight line separates them.",
)

# %% [markdown]
# From left to right the network trains. At first the rings lie over each other. Then they are
# folded and pulled apart, until one straight line is enough. It did not find *our* polar form. It
# found something as good.

# %%
claim(
    "the network learns a representation that a straight line can cut",
    shares[0] < 0.8 and shares[-1] > 0.95,
    f"from {shares[0]:.0%} to {shares[-1]:.0%}",
)

# %% [markdown]
# This is **representation learning**. All layers but the last change the representation. The last
# one draws the line. Keep that picture in mind: a deep network is a long row of such changes.

# %% [markdown]
# ## A pretrained network, layer by layer
#
# Now a real one: EfficientNet-Lite0, which has learnt a thousand classes of photographs (ImageNet).
# Our pictures are icons in five groups: animals and plants, food, places and vehicles, objects,
# people. The network never learnt these groups.

# %%
icons = tlkit.load_dataset("icons", n=1153, image_size=128, seed=0)
pool, test = icons.split(train=600, seed=0)
test.show(12)

# %% [markdown]
# To a computer a picture is a row of numbers. Each layer makes new numbers of them. We read three
# layers in plain Keras: the **stem** (the first layer), a block in the middle and the end. Each
# gives maps, one number per place in the picture, and we average each map to one number.

# %%
base = tlkit.load_backbone("efficientnet-lite0", image_size=128)
places = ["stem", "block_07", "features"]
averages = [layers.GlobalAveragePooling2D()(base.get_layer(name).output) for name in places]
three = keras.Model(base.inputs, averages)

# %% tags=["nbval-check-output"]
print(f"pixels   {test.images[0].size:5} numbers for each picture")
for name, found in zip(places, three.predict(test.images[:8], verbose=0)):
    print(f"{name:8} {found.shape[1]:5} numbers for each picture")

# %% [markdown]
# One pass through the network gave all three. `features_by_depth` does the same for all eighteen
# depths: the stem, sixteen blocks, the last features.

# %%
from tlkit.representations import features_by_depth, probe_by_depth, project

of_test = features_by_depth(base, test.images)
of_pool = features_by_depth(base, pool.images[::6])
labels_of_100 = pool.labels[::6]

# %% [markdown]
# How good is each representation? We ask as we asked of the rings: how far does a straight cut get?
# A linear classifier on the frozen features of one layer is called a **linear probe** (Alain &
# Bengio, 2016). Ours is fitted on a hundred labelled icons and judged on 553 others.

# %%
probes = probe_by_depth(of_pool, labels_of_100, of_test, test.labels)
for name in places:
    print(f"{name:8} {probes[name]}")
print(f"always saying people: {np.mean(test.labels == 4):.1%}")

# %% [markdown]
# Every layer beats always giving the same answer. And now a look. Nobody can see in 1,280
# dimensions, so we **project** to two. **PCA** keeps the two directions in which the pictures
# differ most. **t-SNE** keeps neighbours together, and gives up distances for it.

# %%
from threadpoolctl import threadpool_limits

flat = [project(of_test[name], "pca") for name in places]

# %%
with threadpool_limits(1):  # on few pictures the threads of t-SNE would only wait for each other
    close = [project(of_test[name], "t-sne", seed=0) for name in places]
beneath = [f"linear probe: {probes[name].accuracy:.0%}" for name in places]

# %% tags=["row-B2"]
point_panels(
    flat + close,
    test.labels,
    test.class_names,
    [f"{how}, {name}" for how in ("PCA", "t-SNE") for name in places],
    axis_labels=[(f"first number\n{words}", "second number") for words in beneath * 2],
    alt="Six panels of 553 icons: PCA above, t-SNE below; stem, block 7 and last features from "
    "left to right. The groups are mixed in the stem and lie in patches at the end.",
)

# %% [markdown]
# Each point is an icon. In the stem the groups lie over each other: it knows edges and colours, and
# all groups have those. At the end there are patches of one group, above all of people. The network
# was never told of these groups. But do not trust your eyes too far: two dimensions show little of
# 1,280. The probe, which uses all of them, is the judge.

# %%
first, last = probes["stem"], probes["features"]
claim(
    "at the end more can be told than in the stem",
    last.accuracy - first.accuracy,
    f"{last.accuracy:.0%} against {first.accuracy:.0%}",
    above=0.06,
)

# %% [markdown]
# ## Which depth is best?
#
# Later is not always better. The last layers serve what the network was trained for: photographs
# and ImageNet's classes. So we ask three targets:
#
# - **near**: people with sunglasses or a hat. They are drawn, but ImageNet has such things;
# - **middling**: the icons and their groups;
# - **far**: handwritten digits, light on black.
#
# Six times, with a hundred other labelled pictures each time: 324 probes. That takes minutes, so
# the table is stored. (`make experiments` computes it again.) Each of the six has a **seed**: a
# number that fixes everything random, here which hundred pictures.

# %%
table = tlkit.results("depth_probes", by=["target"])
depths, targets = table.values("layer"), table.values("target")


# %%
def by_depth(target, column="test"):
    """(seeds, depths) numbers of the stored table."""
    return table.runs(target, column=column).reshape(-1, len(depths))


# %%
accuracy = np.array([by_depth(target) for target in targets])
short = [name.removeprefix("block_") for name in depths]

# %% tags=["row-B3"]
figure = tlkit.plots.curve(
    range(len(depths)),
    accuracy.mean(axis=1),
    targets,
    np.stack([accuracy.min(axis=1), accuracy.max(axis=1)], axis=1),
    x_label="depth: the stem, block_00 to block_15, the last features",
    y_label="accuracy of a linear probe, 100 labels",
    percent=True,
)
figure.axes[0].set_xticks(range(len(depths)), short, rotation=45, ha="right")
figure

# %% [markdown]
# Lines are means of six seeds. Each shade reaches from the worst to the best of them. All three
# climb, then stay level. Only for the digits does the line clearly fall again at the end.
#
# First: is the table right? The probes that you fitted above are one entry of it, the icons' first
# seed.

# %%
stored = by_depth("icons")[0]
live = np.array([probes[name].accuracy for name in depths])
claim(
    "the live probes agree with the stored table at every depth",
    np.abs(live - stored).max(),
    f"off by {100 * np.abs(live - stored).max():.1f} points at most",
    below=0.02,
)

# %% [markdown]
# ### Does the best depth come earlier, the farther the target is?
#
# So says the rule. Here is where each seed's probe did best on the test pictures, as a depth from 0
# (the stem) to 17 (the last features); `block_11` is depth 12.

# %%
best = accuracy.argmax(axis=2)
for target, each in zip(targets, best):
    print(f"{target:18} best depth {each.mean():.1f} on average; seed by seed: {each.tolist()}")

# %% [markdown]
# Now the difference between targets, seed by seed. Six seeds scatter, so it comes with a **95 %
# interval**: the bounds between which the true difference probably lies. When zero is between them,
# we cannot tell.

# %%
near, middling, far = best
earlier = paired_difference(far, near)
claim(
    "for the digits the best depth is earlier than for the people",
    earlier.high < 0,
    f"by {-earlier.mean:.1f} layers, 95 % interval {-earlier.high:.1f} to {-earlier.low:.1f}",
)

# %%
between = paired_difference(middling, near)
claim(
    "for the icons that is not sure",
    between.low < 0 < between.high,
    f"{-between.mean:.1f} layers earlier, interval {-between.high:.1f} to {-between.low:.1f}",
)

# %% [markdown]
# So: yes, but by a few layers only, and for the middle target we cannot say. All six seeds share
# one set of test pictures per target, too, so the intervals are rather too narrow. And the place of
# a peak on a level stretch means little. A better question is what you *lose* by reading the end,
# as everybody does, instead of `block_11`.

# %%
block_11 = depths.index("block_11")
losses = [paired_difference(each[:, -1], each[:, block_11]) for each in accuracy]
for target, loss in zip(targets, losses):
    print(f"{target:18} {loss}")

# %%
claim("for the digits the end costs several points", losses[2].high < -0.02, str(losses[2]))
claim("for the people it costs nothing that shows", abs(losses[0].mean) < 0.02, str(losses[0]))

# %% [markdown]
# That is the useful form of the rule: **for a far target, do not read the end without trying
# earlier layers**. Take the size of the loss with a grain of salt, though: we picked `block_11`
# after seeing the curves. And depth isn't all that changes there: its maps have 192 channels where
# the block before has 112, so a probe also gets more numbers to work with.
#
# Can you find the best depth with your own hundred labels, and no test pictures? The honest way is
# **cross-validation**: fit on four fifths of the labels, judge on the fifth that was left out, five
# times over. The table holds that choice, too.

# %%
chosen = np.array([by_depth(target, "chosen").argmax(axis=1) for target in targets])
for target, each in zip(targets, chosen):
    print(f"{target:18} chosen by cross-validation: {each.mean():.1f}, {each.tolist()}")

# %%
seeds = np.arange(len(chosen[2]))
gain = paired_difference(accuracy[2][seeds, chosen[2]], accuracy[2][:, -1])
claim("for the digits choosing a depth beats the end", gain.low > 0.01, str(gain))
choice = paired_difference(chosen[2], chosen[0])
claim(
    "but the choices do not show that the digits' best depth is earlier",
    choice.low < 0 < choice.high,
    f"{choice.mean:+.1f} layers, interval {choice.low:+.1f} to {choice.high:+.1f}",
)

# %% [markdown]
# So the choice pays where the target is far, though a hundred labels are too few to say *which*
# depth is best. They are enough to keep you from a bad one.

# %% [markdown]
# ## Two ways to learn two tasks
#
# Until now one network served us as it was. Now we look at two tasks, A and B. Traditional machine
# learning trains a learner for each, and the two never meet. Transfer learning carries what the
# first has learnt over to the second.

# %% tags=["row-B6"]
from tlkit.lessons.transfer_figures import transfer_curves, two_ways_of_learning

two_ways_of_learning()

# %% [markdown]
# On the left each task pays for everything with its own labels. On the right B takes over the early
# layers of A, and only the rest is learnt from B's labels, which may be few. But how many layers
# should be carried across? Can any layer be?

# %% [markdown]
# ## Which layers can be moved?
#
# Yosinski and others asked that in 2014, with a large network and more than half a million
# photographs for each task. It has been quoted ever since. We run it: with a small network, and
# digits. Five digits are task **A**, the other five task **B**. To make it harder, each digit
# stands at a random place.


# %%
def shifted(digits, seed):
    """Grey digits, each at a random place in 32 by 32 pixels."""
    rng = np.random.default_rng(seed)
    framed = np.pad(digits[..., :1], ((0, 0), (8, 8), (8, 8), (0, 0)))
    starts = rng.integers(0, 13, (len(digits), 2))
    return np.stack([f[y : y + 32, x : x + 32] for f, (y, x) in zip(framed, starts)])


# %%
learn, judge = tlkit.load_dataset("digits", image_size=28).split(train=4000, seed=0)
images, test_images = shifted(learn.images, 1), shifted(judge.images, 2)
tlkit.plots.image_grid(
    images[:12, :, :, 0],
    [str(label) for label in learn.labels[:12]],
    columns=6,
    alt="twelve handwritten digits, each at another place of its small black picture",
)

# %% [markdown]
# ### Once in plain Keras
#
# The network has five narrow layers of filters and a **head**, the last layer, which answers. First
# it learns A, from two thousand labelled digits. **Logits** are what comes out: one number per
# class, the largest is the answer.

# %%
from tlkit.lessons.transferability import transfer_experiment
from tlkit.representations import narrow_network

of_a, of_b = [4, 6, 2, 7, 3], [5, 9, 0, 8, 1]
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


# %%
def only(images, labels, classes, per_class=None):
    rows = np.concatenate([np.nonzero(labels == each)[0][:per_class] for each in classes])
    return images[rows], np.array([classes.index(label) for label in labels[rows]])


# %%


def learn_task(network, pictures, epochs):
    optimizer = keras.optimizers.Adam(3e-3)
    network.compile(optimizer, cross_entropy, steps_per_execution=10)
    network.fit(*pictures, batch_size=32, epochs=epochs, verbose=0)


# %%
network_a = narrow_network(classes=5, seed=0)
learn_task(network_a, only(images, learn.labels, of_a), epochs=10)

# %% [markdown]
# Now a new network for B takes over the first four layers, and they stay as they are: **frozen**.
# The last layer of filters and the head learn B, from ten labelled pictures of each digit.

# %%
network_b = narrow_network(classes=5, seed=1)
for new, old in zip(network_b.layers[1:5], network_a.layers[1:5]):  # layer 0 only scales pixels
    new.set_weights(old.get_weights())
    new.trainable = False

# %%
few_of_b, test_of_b = only(images, learn.labels, of_b, 10), only(test_images, judge.labels, of_b)
learn_task(network_b, few_of_b, epochs=60)
moved_by_hand = score(test_of_b[1], network_b.predict(test_of_b[0], verbose=0))
print(f"A's first four layers, the rest learnt from fifty pictures: {moved_by_hand}")

# %% [markdown]
# Guessing would get a fifth. Is that good? We need something to compare it with, and here the paper
# is very careful. These are its networks; n is the number of layers that are moved.
#
# | name | first n layers come from | and are then |
# |:--|:--|:--|
# | B alone | nowhere: all layers learn B | trained |
# | **BnB** | the network that learnt B alone | frozen |
# | **BnB+** | the same | trained on |
# | **AnB** | the network that learnt A | frozen |
# | **AnB+** | the same | trained on |
# | random | nowhere: they never learn | frozen |
#
# In all of them the other layers start anew. You have just made A4B. BnB is called **selffer**: a
# transfer to oneself. It seems pointless, but it tells two causes of loss apart:
#
# - **Co-adaptation.** Neighbouring layers grow used to each other. Cut between them, train the
#   later ones anew, and they may not find together again. This would hurt BnB just as much as AnB.
# - **Specificity.** Late layers have become specialists for A. That hurts AnB, and not BnB.
#
# `transfer_experiment` runs all of them. Here is one entry, live: B alone, and A4B.

# %%
run_live = transfer_experiment(
    narrow_network,
    [(of_a, of_b)],
    (images, learn.labels),
    (test_images, judge.labels),
    labels_per_class=10,
    treatments=["AnB"],
    layers=[4],
    steps=150,
    head_steps=3000,
    source_steps=800,
)

# %%
alone, moved = (row["test"] for row in run_live)
claim(
    "four moved layers beat learning B alone",
    moved - alone,
    f"{moved:.0%} against {alone:.0%}",
    above=0.04,
)

# %% [markdown]
# And now all of it: every n, five seeds, each with a split of its own into A and B, and in three
# conditions:
#
# - **few labels**: ten labelled pictures for each digit of B, two thousand for A;
# - **far**: as before, but A are the icons, small and in grey;
# - **many labels**: B has as many as A. That is how the paper did it.

# %%
transfer = tlkit.results("transferability", by=["condition", "treatment", "n"])
conditions = transfer.values("condition")
near_few, far_few, near_many = conditions
networks = [row for row in transfer if row["treatment"] != "pixels"]
panels = {name: [row for row in networks if row["condition"] == name] for name in conditions}

# %% [markdown]
# First, is the table right? Your live run is one of its entries: the first seed, few labels, n = 4.


# %%


stored = transfer.runs(near_few, "AnB", 4)[0]
claim(
    "the live transfer agrees with the stored table",
    abs(moved - stored),
    f"live {moved:.1%}, stored {stored:.1%}",
    below=0.08,
)

# %% [markdown]
# ### With few labels
#
# The runs with few labels first: on the left A are digits, on the right icons.

# %% tags=["row-B4"]
few_panels = {name: panels[name] for name in (near_few, far_few)}
transfer_curves(few_panels)

# %% [markdown]
# Pale marks are single runs, the lines are their means. The runs of one treatment lie far apart,
# because some splits into A and B are harder than others. That is why we compare *within* each
# seed: how much better or worse than B alone, with the same digits and labels?


# %%
def gain(condition, treatment, n):
    return transfer.difference((condition, treatment, n), (condition, "base", 0))


# %%
def show_gains(condition, treatments):
    print("points against B alone, mean of five seeds ± half of the 95 % interval")
    print("          " + "".join(f"n = {n}        " for n in range(1, 6)))
    for name in treatments:
        each = [gain(condition, name, n) for n in range(1, 6)]
        shown = [f"{100 * g.mean:+5.1f} ±{50 * (g.high - g.low):4.1f}" for g in each]
        print(f"{name:8}", "  ".join(shown))


# %% tags=["nbval-check-output"]
show_gains(near_few, ["BnB", "BnB+", "AnB", "AnB+", "random"])

# %% [markdown]
# Read it row by row.
#
# - **BnB, BnB+**: B's own layers change next to nothing. They know what fifty pictures have told.
# - **AnB**: the more layers of A, the better. They know what two thousand other digits have told.
# - **AnB+**: training them on is no better than leaving them frozen. Perhaps fifty pictures
#   spoil more than they mend.
# - **random**: the more layers stay random, the worse. So it is the *learning* that is carried
#   across, not the mere shape of the network.

# %%
own = max(abs(gain(near_few, name, n).mean) for name in ("BnB", "BnB+") for n in range(1, 6))
claim("own layers change next to nothing", own < 0.03, f"{100 * own:.1f} points at most")
best = gain(near_few, "AnB", 4)
claim("four frozen layers of A beat B alone by far", best.low > 0.1, str(best))

# %%
on = [transfer.runs(near_few, "AnB+", n) - transfer.runs(near_few, "AnB", n) for n in range(1, 6)]
most = np.mean(on, axis=1).max()
claim("training A's layers on is no better", most < 0.02, f"{100 * most:+.1f} points at best")

# %%
growth = transfer.difference((near_few, "AnB", 5), (near_few, "AnB", 1))
claim("five of them serve better than one", growth.low > 0.1, str(growth))
chance = gain(near_few, "random", 5)
claim("five random layers do harm", chance.high < 0, str(chance))

# %% [markdown]
# Two more controls. Is a network needed at all? We give the raw pixels to a linear classifier. (On
# digits that all stand in the middle, that is hard to beat. This is why ours are moved.)
# And the **far** source: what do layers that learnt icons do for digits?

# %%
pixels = gain(near_few, "pixels", 0)
claim("raw pixels do worse than B alone", pixels.high < 0, str(pixels))
show_gains(far_few, ["AnB"])

# %%
most = max(gain(far_few, "AnB", n).mean for n in range(1, 6))
claim("no number of far layers gains anything", most < 0.02, f"{100 * most:+.1f} points at best")
end = gain(far_few, "AnB", 5)
claim("five of them do harm", end.high < 0, str(end))

# %% [markdown]
# So not everything that is learnt is worth moving. (The icons are 1,153 pictures, against two
# thousand digits. So part of the difference may be that A had less to learn from.)
#
# ### With as many labels as the paper
#
# Now B has two thousand labelled pictures, too. Do you expect the same curves?

# %%
transfer_curves({near_many: panels[near_many]})

# %% [markdown]
# Mind the scale: the axis begins at 77 %. The frozen layers of A (dark red squares) now
# go *down* with n.

# %% tags=["nbval-check-output"]
show_gains(near_many, ["BnB", "BnB+", "AnB", "AnB+"])

# %%
two, five = gain(near_many, "AnB", 2), gain(near_many, "AnB", 5)
claim("two frozen layers of A cost next to nothing", two.low > -0.03, str(two))
claim("five cost a lot", five.high < -0.03, str(five))

# %% [markdown]
# The layers of A are what they were before. What has changed is the rival: with two thousand labels
# B can learn layers of its own, made to measure. Frozen late layers of A are specialists for A, and
# now that shows: **specificity**.
#
# And **co-adaptation**? Look at the row of BnB: B's own layers, frozen, with new ones after them.
# At n = 4 they lose a little, and at n = 5, where only the head is new, nothing. That is the
# paper's shape, very small. (And we looked at five values of n. One of them may look sure by luck.)

# %%
four, all_five = gain(near_many, "BnB", 4), gain(near_many, "BnB", 5)
claim("cut after four layers, B's own lose a little", -0.03 < four.mean < 0 > four.high, str(four))
claim("cut after five, nothing that is sure", all_five.low < 0 < all_five.high, str(all_five))

# %% [markdown]
# Last, the layers that are trained on (the **+**). The paper's surprise was that AnB+ beats B
# alone, though B has all the labels it wants. Ours lies a little above B alone, too, but not
# surely. And B's own layers, trained on, gain nothing that is sure: training twice does not help by
# itself.

# %%
tuned, selffer = gain(near_many, "AnB+", 5), gain(near_many, "BnB+", 5)
claim("A's layers trained on: a gain that is not sure", tuned.low < 0 < tuned.high, str(tuned))
claim("B's own, trained on: none to be seen", abs(selffer.mean) < 0.01, str(selffer))

# %% [markdown]
# **A trap.** In our own first try B alone and the new heads had fewer steps. Then BnB+ seemed to
# beat B alone, and five frozen layers seemed to lose more than they do. Both were nothing but
# training that had not finished. Before you say that layers do not transfer, see that the training
# pictures are learnt as well as they can be.

# %% [markdown]
# ### Beside the paper
#
# Now the paper's findings, and what became of them here. "Seen" means that the interval lies on the
# paper's side of zero, "the opposite" that it lies on the other side, "not sure" that zero is in
# it.


# %%
def verdict(ours, theirs, sign):
    """Whether our paired difference has the sign that the paper found."""
    d = paired_difference(ours, theirs)
    sure = d.low > 0 or d.high < 0
    word = ("seen" if sign * d.mean > 0 else "**the opposite**") if sure else "not sure"
    return f"{word} ({100 * d.mean:+.1f}, {100 * d.low:+.1f} to {100 * d.high:+.1f})"


# %%
def both(ours, theirs, sign):
    """The verdict with few and with many labels; ours and theirs are treatment and n."""
    found = [(transfer.runs(c, *ours), transfer.runs(c, *theirs)) for c in (near_few, near_many)]
    return " | ".join(verdict(*pair, sign) for pair in found)


# %%
beside = {
    "own frozen layers lose in the middle: co-adaptation (B3B − B)": both(
        ("BnB", 3), ("base", 0), -1
    ),
    "the same, one layer later (B4B − B)": both(("BnB", 4), ("base", 0), -1),
    "A's frozen layers lose at the end: specificity (A5B − B5B)": both(("AnB", 5), ("BnB", 5), -1),
    "trained on, A's layers beat B alone (A5B+ − B)": both(("AnB+", 5), ("base", 0), +1),
    "and beat B's own, trained on (A5B+ − B5B+)": both(("AnB+", 5), ("BnB+", 5), +1),
}

# %%
far_3, far_5 = (transfer.runs(far_few, "AnB", n) for n in (3, 5))
near_5 = transfer.runs(near_few, "AnB", 5)
random_3, random_5 = (transfer.runs(near_few, "random", n) for n in (3, 5))
beside["a far A serves less than a near one (A5B)"] = verdict(far_5, near_5, -1) + " | not run"
beside["but more than random layers (A3B)"] = verdict(far_3, random_3, +1) + " | not run"
beside["the same at the end (A5B)"] = verdict(far_5, random_5, +1) + " | not run"

# %% tags=["nbval-check-output"]
from IPython.display import Markdown

rows = [f"| {finding} | {ours} |" for finding, ours in beside.items()]
Markdown("\n".join(["| in the paper | few labels | many labels |", "|:--|:--|:--|", *rows]))

# %% [markdown]
# "The opposite" is no contradiction. In the paper B had labels enough, and moved layers could only
# lose. With few labels the same layers are a gift. Whether to freeze, and how much, depends on what
# you could learn without help: lesson 04 comes back to that.
#
# ## Learning without labels
#
# Labels are dear, pictures are cheap. Can a representation be learnt from pictures alone? One way
# is an **autoencoder**: an *encoder* squeezes each picture into a few numbers, its **code**, and a
# *decoder* has to draw the picture again from the code. The picture itself is the answer sheet.
# Ours squeezes 1,024 pixels into 64 numbers.

# %%
from tlkit.representations import autoencoder, probe

# %%
encoder, decoder = autoencoder(code=64, seed=0)
copier = keras.Sequential([encoder, decoder])
pixel_by_pixel = keras.losses.BinaryCrossentropy(from_logits=True)
copier.compile(keras.optimizers.Adam(2e-3), pixel_by_pixel, steps_per_execution=20)

# %%
copier.fit(images, images / 255, batch_size=64, epochs=20, verbose=0)
drawn = 255 * np.asarray(keras.ops.sigmoid(copier(test_images[:6])))

# %%
tlkit.plots.image_grid(
    np.concatenate([test_images[:6], drawn])[..., 0],
    ["given"] * 6 + ["drawn again"] * 6,
    alt="six digits above, and below each the decoder's copy of it, a little blurred",
)

# %% [markdown]
# The lower row is drawn from 64 numbers each, for digits that it never saw. So the code knows the
# digit, and where it stands. No label was used. Now we use some: twenty for each of the ten digits,
# and a linear probe on the codes.


# %%
def few_rows(labels, per_class, seed):
    order = np.random.default_rng(seed).permutation(len(labels))
    return np.concatenate([order[labels[order] == each][:per_class] for each in range(10)])


rows = few_rows(learn.labels, per_class=20, seed=0)
codes, test_codes = (encoder.predict(each, verbose=0) for each in (images[rows], test_images))
on_codes = probe(codes, learn.labels[rows], test_codes, judge.labels)

# %%
free = tlkit.results("autoencoder", by=["method", "per_class"])
methods = free.values("method")


# %% tags=["row-B5"]
counts = [5, 20, 50]
shown = np.array([[free.runs(method, count) for count in counts] for method in methods])
tlkit.plots.curve(
    counts,
    shown.mean(axis=-1),
    methods,
    np.stack([shown.min(axis=-1), shown.max(axis=-1)], axis=1),
    x_label="labelled pictures for each of the ten digits",
    y_label="accuracy on 1,000 test digits",
    log_x=True,
    percent=True,
)

# %% [markdown]
# Each line is a mean of five seeds, from few labels to more; the shades reach from the worst to the
# best. "Linear" is a linear probe on frozen features. "Trained on" is the whole encoder with a new
# head, trained with the labels; after random weights that is training from scratch.

# %%
stored = free.runs("autoencoder, linear", 20)[0]
claim(
    "the live autoencoder agrees with the stored table",
    abs(on_codes.accuracy - stored),
    f"live {on_codes.accuracy:.1%}, stored {stored:.1%}",
    below=0.035,
)

# %%
code = free.difference(("autoencoder, linear", 20), ("random, linear", 20))
claim("at 20 a digit the code beats that of a random encoder", code.low > 0.03, str(code))
scratch = free.difference(("autoencoder, linear", 20), ("random, trained on", 20))
claim("but not the same network from scratch", scratch.low < 0.01, str(scratch))

# %%
photographs = free.difference(("ImageNet, linear", 20), ("autoencoder, linear", 20))
claim("ImageNet features beat both by far", photographs.low > 0.3, str(photographs))

# %%
start = [free.runs(f"{name}, trained on", 50) for name in ("autoencoder", "random")]
later = paired_difference(*start)
claim("at 50 a digit it is a worse start than random weights", later.high < 0, str(later))

# %% [markdown]
# That is sobering. The encoder did learn something: its code is better than chance. But a network
# that learns from the two hundred labels alone does as well, and with five hundred it does better.
# (All were trained with one rate and 300 steps; with others the gap may be another.) Meanwhile a
# network that has seen a million labelled photographs, and never a digit, is ahead of all.

# %% [markdown]
# Why? The code was made for drawing. To draw a digit, one must know above all *where* it stands. To
# name it, that is of no use. So let us ask the code for the place: a straight-line fit from the
# code to the middle of the strokes, on the same two hundred pictures.


# %%
def middle(pictures):
    """Where the strokes are on average: pixels from the left and from above."""
    ink, places = pictures[..., 0].astype(float), np.arange(32)
    both = np.column_stack([ink.sum(axis=1) @ places, ink.sum(axis=2) @ places])
    return both / ink.sum(axis=(1, 2))[:, None]


# %%
from sklearn.linear_model import LinearRegression

where = LinearRegression().fit(codes, middle(images[rows]))
off = np.abs(where.predict(test_codes) - middle(test_images)).mean()
off_without = np.abs(middle(images[rows]).mean(axis=0) - middle(test_images)).mean()

# %%
claim(
    "the code knows where the digit stands",
    off / off_without,
    f"{off:.1f} pixels off on average; without the code {off_without:.1f}",
    below=0.5,
)

# %% [markdown]
# So a representation is only as useful as the task that made it is like yours. That is why people
# look for better tasks that need no labels: hide a part of the picture and fill it in, or tell
# whether two pictures show the same thing. **Language models** do it with words: they guess the
# next word, and the text itself is the answer sheet. Word vectors (Mikolov and others, 2013) were
# learnt by guessing a word from its neighbours, or the neighbours from the word. They became the
# first pretrained models in wide use.

# %% [markdown]
# ## What you measured
#
# - Two rings defeat a straight line in x and y, and fall to it as distance and direction. A small
#   network found a representation as good by itself.
# - In a pretrained network a linear probe tells more of the icons' groups at the end than at the
#   beginning.
# - For people and icons the end is as good as any late block. For digits, which are far from
#   photographs, it costs about six points against `block_11`. The best depth comes earlier for the
#   far target, by a few layers; for the middling one that is not sure.
# - With few labels, four frozen layers of a network that learnt *other* digits gain nearly thirty
#   points. Layers that learnt icons gain nothing, random ones do harm.
# - With many labels frozen layers of A cost more, the later they are: specificity, as in the paper.
#   Co-adaptation showed at one place, and barely. That A's layers, trained on, beat B alone was not
#   sure.
# - An autoencoder's code knew where a digit stands rather than which it is. It did not beat
#   learning from scratch, and was far behind ImageNet's features.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
quiz(
    [
        Question(
            "A linear classifier fails on a task. What follows?",
            [
                (
                    "the task is hard",
                    "No: the rings were hard for it in x and y, and easy in polar form.",
                ),
                (
                    "the task is hard in this representation",
                    "Right: another way of writing the same points down may make it easy.",
                ),
                ("there are too few labels", "No: more points on the rings do not help a line."),
            ],
        ),
        Question(
            "What is a linear probe?",
            [
                (
                    "a linear classifier on the frozen features of one layer",
                    "Right: it tells how much a straight cut can get out of that layer.",
                ),
                ("the last layer of the pretrained network", "No: that one answers old classes."),
                ("a projection to two dimensions", "No: that is for looking; a probe uses all."),
            ],
        ),
        Question(
            "Two groups overlap in a t-SNE picture. Can the features tell them apart?",
            [
                ("no, one can see it", "No: one sees two dimensions out of perhaps 1,280."),
                ("yes, t-SNE always mixes groups", "No: it often keeps groups apart."),
                ("ask a probe", "Right: it uses all the numbers, and pictures not seen before."),
            ],
        ),
        Question(
            "Your pictures look nothing like photographs, and you have a hundred labels. Which "
            "layer do you read?",
            [
                ("the last features", "No: for the digits that cost several points."),
                (
                    "one that cross-validation chooses on the hundred labels",
                    "Right: for the digits that was clearly better than the end.",
                ),
                ("the first", "No: the stem was the worst or nearly the worst for every target."),
            ],
        ),
        Question(
            "B3B, with frozen layers, is much worse than B alone. A3B is no worse than B3B. What "
            "happened?",
            [
                ("the third layer is specific to A", "No: then A3B would be worse than B3B."),
                (
                    "the cut went through layers that had adapted to each other",
                    "Right: even the network's own layers do not fit any more.",
                ),
                ("A has too few labels", "No: B3B has nothing to do with A."),
            ],
        ),
        Question(
            "You move five layers, train a new head for a few steps, and the accuracy is poor. May "
            "you say that the layers do not transfer?",
            [
                ("yes, the number says so", "No: it may only say that the head is not ready."),
                (
                    "only after training the head to the end",
                    "Right: a head that has not finished looks like layers that do not fit.",
                ),
                ("no, layers always transfer", "No: random layers, for one, do not help."),
            ],
        ),
        Question(
            "An autoencoder draws every digit again almost perfectly. Is its code a good "
            "representation for naming digits?",
            [
                ("of course, nothing is lost", "No: the pixels have lost nothing either."),
                (
                    "not for that reason: measure it",
                    "Right: drawing needs the place of the digit, naming does not.",
                ),
                ("no, it has never seen a label", "No: that alone does not make it bad."),
            ],
        ),
    ]
)

# %% [markdown]
# ## Exercises
#
# Replace the `...`. A cell that is not answered yet only says so. The solutions are in the folder
# `solutions`.
#
# **1. Another task, the same points.** You want to tell points on the left from points on the
# right. In which representation can a straight line do that: `"x, y"` or `"r, θ"`?

# %% tags=["exercise"]
# STUB
easier = ...
# SOLUTION
easier = "x, y"
# END
check(
    easier,
    "x, y",
    choices=["x, y", "r, θ"],
    hint="Where is the left half when you only know distance and direction? θ runs from −π to π.",
    praise="No representation is good as such. It is good for a task.",
    name="Exercise 1",
)

# %% [markdown]
# **2. One number is enough.** Write a function that turns points (N, 2) into *one* number for each,
# such that a single threshold separates the rings.


# %% tags=["exercise"]
# STUB
def one_number(points):
    """(N,) numbers, small for the inner ring and large for the outer one."""
    return ...


# SOLUTION
def one_number(points):
    """(N,) numbers, small for the inner ring and large for the outer one."""
    return (points**2).sum(axis=1)


# END
some_points = np.array([[3.0, 4.0], [0.0, -1.0], [-0.6, 0.8]])
found = one_number(some_points)
check(
    found,
    lambda answer: (
        np.shape(answer) == (3,) and answer[0] > 2 * answer[1] and np.isclose(answer[1], answer[2])
    ),
    hints=[
        (lambda answer: np.shape(answer) != (3,), "It should give one number for each point."),
        (lambda answer: answer[1] < 0, "Points below and left are as far out as the others."),
    ],
    hint="How far is a point from the middle? Points of one ring should get the same number.",
    praise="A network would have to put this together from many straight pieces.",
    name="Exercise 2",
)

# %% [markdown]
# **3. Choose a depth honestly.** Let `tlkit.representations.best_depth` choose a layer for the
# icons, from the hundred labels only. Put the layer's name into `my_depth`. (It returns a pair: the
# name, and the accuracy of each layer.)

# %% tags=["exercise"]
# STUB
my_depth = ...
# SOLUTION
my_depth, _ = tlkit.representations.best_depth(of_pool, labels_of_100)
# END
in_folds = dict(zip(depths, by_depth("icons", "folds")[0]))
check(
    my_depth,
    lambda name: in_folds[name] > max(in_folds.values()) - 0.021,
    hints=[
        (lambda answer: answer not in in_folds, "Give the name of a layer, such as 'block_03'."),
    ],
    hint="Give it of_pool and labels_of_100; the test pictures have no say in it.",
    name="Exercise 3",
)

# %% [markdown]
# **4. Find the cause.** Somebody measures: B alone 80 %, B3B 73 %, A3B 72 %. All heads are trained
# to the end. What cost more?

# %% tags=["exercise"]
# STUB
cause = ...
# SOLUTION
cause = "co-adaptation"
# END
check(
    cause,
    "co-adaptation",
    choices=["co-adaptation", "specificity"],
    hint="How much is lost already when the layers are B's own?",
    name="Exercise 4",
)

# %% [markdown]
# **5. Write it yourself.** A function that takes three accuracies (B alone, BnB, AnB) and returns
# two losses: what co-adaptation costs, and what specificity costs on top of it.


# %% tags=["exercise"]
# STUB
def two_losses(alone, selffer, moved):
    """(loss by co-adaptation, loss by specificity)"""
    return ...


# SOLUTION
def two_losses(alone, selffer, moved):
    """(loss by co-adaptation, loss by specificity)"""
    return [alone - selffer, selffer - moved]


# END
check(
    two_losses,
    cases=[((0.8, 0.73, 0.72), [0.07, 0.01]), ((0.6, 0.6, 0.7), [0.0, -0.1])],
    tolerance=1e-6,
    hint="The first is lost by B's own layers. The second is what A's layers lose beyond that.",
    praise="A negative loss is a gain.",
    name="Exercise 5",
)

# %% [markdown]
# **6. On your own.** Run `transfer_experiment` again with `treatments=["random"]` instead of
# `["AnB"]`. Write down what you expect first. (It takes some ten seconds.)

# %% [markdown]
# ## Further reading
#
# - Yosinski et al. 2014, *How transferable are features in deep neural networks?*:
#   <https://arxiv.org/abs/1411.1792>
# - Alain & Bengio 2016, *Understanding intermediate layers using linear classifier probes*:
#   <https://arxiv.org/abs/1610.01644>
# - Wattenberg, Viégas & Johnson 2016, *How to Use t-SNE Effectively*:
#   <https://distill.pub/2016/misread-tsne/>
# - Bengio, Courville & Vincent 2013, *Representation Learning: A Review and New Perspectives*:
#   <https://arxiv.org/abs/1206.5538>
# - Mikolov et al. 2013, *Efficient Estimation of Word Representations in Vector Space*:
#   <https://arxiv.org/abs/1301.3781>
#
# ## Curriculum rows
#
# This lesson covered B1 to B6. Next: use frozen features, in lesson 03.
