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
from tlkit.course import Question, check, claim, quiz
from tlkit.lessons import cases
from tlkit.scores import paired_difference, score

source = cases.source_digits()
source.take(12).show(12)

# %%
network = cases.demonstration_network(classes=5, seed=0)

# %% tags=["nbval-check-output"]
for layer in network.layers:
    if layer.weights:
        print(f"{layer.name:8} {layer.count_params():6,} weights, gives {layer.output.shape[1:]}")

# %%
import keras
import numpy as np

fade = keras.optimizers.schedules.CosineDecay(2e-3, 1200)
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
network.compile(keras.optimizers.Adam(fade), cross_entropy, metrics=["accuracy"])
history = network.fit(source.images, source.labels, batch_size=64, epochs=8, verbose=0).history
print(f"{len(source):,} pictures, {history['accuracy'][-1]:.1%} of them right in the last epoch")

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
claim("with fifty labels the borrowed layers win", gain, f"by {100 * gain:.0f} points", above=0.08)

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


tlkit.course.explore(advise, labels=["few", "many"], task=["similar", "different"])

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
# pictures held back from the training labels, never on the test. (Not everything was fixed at the
# first try: how long to train, and how far the choice may go, changed after partial runs, mostly
# to save time.)
#
# Three **controls** stand below. Two are linear classifiers on a network with *random* weights: if
# they do as well as the pretrained one, nothing was carried over. The last one looks at the raw
# pixels.

# %%
table = tlkit.results("four_cases", by=["size", "task", "strategy"])
names = table.values("strategy")
controls = [name for name in names if name.startswith(("random", "raw"))]
strategies = ["last features", "earlier features", "train the dense layers", "fine-tune all"]
strategies += ["from scratch"]


# %%
columns = {f"{size} labels,\n{task}": (size, task) for size, task in cases.RULE}
means = [
    [table.runs(*case, name).mean() for case in columns.values()] for name in strategies + controls
]
advice = {name: cases.RULE[case] for name, case in columns.items()}

# %% tags=["row-D8"]
title = "Accuracy on the test, mean of five seeds"
cases.case_map(means, strategies, list(columns), advice, controls, title)

# %% [markdown]
# Each column is a case. The shades run from the worst to the best in each column. An orange frame
# is what the rule advises, a star is what won.

# %% tags=["nbval-check-output"]
print(f"{'mean of five seeds, in %':34}" + "".join(f"{s + ', ' + t:>18}" for s, t in cases.RULE))
for name in strategies + controls:
    each = [table.runs(*case, name) for case in cases.RULE]
    found = [paired_difference(values, 0 * values) for values in each]
    cells = [f"{100 * one.mean:.1f} ± {100 * (one.high - one.mean):.1f}" for one in found]
    print(f"{name:34}" + "".join(f"{cell:>18}" for cell in cells))

# %% [markdown]
# The same in numbers: the mean, and how far the 95 % interval reaches to either side. Two
# strategies share their seeds, so what counts is their *paired* difference. Case by case:


# %%
def ahead(size, task, ours, theirs):
    """By how much one strategy beats another, over the same five seeds."""
    return table.difference((size, task, ours), (size, task, theirs))


# %% [markdown]
# **Few and similar.** The advised classifier on the last features is at the top, far ahead of
# training from scratch and of all controls. Letting more layers move gains nothing, for all its
# work: a tie. The rule holds.

# %%
case = "few", "similar"
over_scratch = ahead(*case, "last features", "from scratch")
claim("few, similar: the last features beat scratch", over_scratch.low > 0.08, str(over_scratch))
rivals = ["train the dense layers", "fine-tune all"]
gains = [ahead(*case, rival, "last features").mean for rival in rivals]
claim("and nobody who moves more beats them", max(gains) < 0.03, f"{100 * max(gains):+.1f} points")

# %% [markdown]
# **Few and different.** The advised earlier features win, and the last ones are far behind: what
# the last layer kept is about digits. So the rule names the winner. But look at the control: the
# same layers with *random* weights do nearly as well, and over five seeds the two cannot be told
# apart. That late features **harm** is shown. That early ones **transfer** is not.

# %%
case = "few", "different"
over_last = ahead(*case, "earlier features", "last features")
claim("few, different: earlier features beat the last", over_last.low > 0.2, str(over_last))
carried_over = ahead(*case, "earlier features", "random network, earlier features")
claim("but they are not sure to beat random ones", carried_over.low < 0, str(carried_over))

# %% [markdown]
# **Many and similar.** Fine-tuning all is at the top, as advised. But training from scratch is as
# good, and so is training the dense layers alone: with 1,800 labels there is nothing left to
# borrow. The advice is not wrong here, but it gains nothing.

# %%
case = "many", "similar"
gain = ahead(*case, "fine-tune all", "from scratch")
claim("many, similar: fine-tuning and scratch tie", abs(gain.mean) < 0.03, str(gain))
gap = ahead(*case, "fine-tune all", "last features")
claim("the last features alone have fallen behind", gap.low > 0.08, str(gap))

# %% [markdown]
# **Many and different.** Here the sources disagree, and the table cannot decide between them
# either: fine-tuning, scratch, and even a plain classifier on the first convolution end within a
# point or two of one another. Only the last features and the frozen convolutions, both made for
# digits, stay behind.

# %%
case = "many", "different"
gain = ahead(*case, "fine-tune all", "from scratch")
claim("many, different: fine-tuning and scratch tie", abs(gain.mean) < 0.03, str(gain))
gap = ahead(*case, "from scratch", "last features")
claim("both leave the last features far behind", gap.low > 0.15, str(gap))

# %% [markdown]
# So what is the rule worth? In our four cases it never named a bad strategy, and where labels were
# few it named the best one. But in three of the four cases somebody who borrowed *nothing* did
# about as well. The loan paid in one: few labels, similar task. That is the case in which you will
# be most of the time, and the reason for this course.
#
# Another network or another task may give another table. The habit is worth more than the table:
# **try two strategies, choose on held-back labels, and run a control that borrows nothing.**
#
# The start of this page was one entry of the table, live. It rests on 50 labels and on a network
# that was trained here, so don't expect the same figure. What must agree is who wins.

# %%
stored = table.runs("few", "similar", "last features")
print(f"live {last_features.accuracy:.1%}; stored", *(f"{value:.1%}" for value in stored))

# %% [markdown]
# ## What your own labels say
#
# Nobody gives you such a table for your own pictures. But you can ask the two questions of your
# *training* labels. Count them: that is the first. For the second, compare depths: if a classifier
# on earlier features beats one on the last features, the task is different. And compare with random
# weights: if those do as well, nothing carries over. `tlkit.recommend` does this with
# EfficientNet-Lite0, by **cross-validation**: it fits on four fifths of your labels, judges on the
# rest, and takes turns.

# %% tags=["row-D8"]
icons = tlkit.load_dataset("icons", n=150, image_size=96, seed=0)
advice_for_icons = tlkit.recommend(icons)
print(advice_for_icons)

# %%
evidence = advice_for_icons.scores
lead = evidence["pretrained, block_12"].accuracy - evidence["random, features"].accuracy
claim(
    "on the icons pretrained features beat random ones",
    lead,
    f"{100 * lead:+.0f} points",
    above=0.1,
)

# %% [markdown]
# Read the reasons, not only the first line. The recommendation says what to *try*. In lesson 05
# fine-tuning on a hundred icons gains nothing that is sure; whether it does on yours, only a
# held-back part of your pictures can tell.

# %% [markdown]
# ## When nothing helps
#
# Sometimes a pretrained network gives no better answers than chance. That can mean two things:
# **there is nothing to find** in the pictures, or there is something, but **nothing carries over**.
# To tell them apart you need a control that does not borrow anything.
#
# We make five sets of pictures and know the truth of each. First, digits: as they are; with their
# pixels in another order, the same for all pictures; and with a new order for each picture.

# %%
digits = tlkit.load_dataset("digits", n=900, image_size=32)
one_order = cases.shuffle_pixels(digits.images, seed=0)
new_orders = cases.shuffle_pixels(digits.images, seed=0, same=False)
shown = [*digits.images[:6], *one_order[:6], *new_orders[:6]]
titles = ["as it is"] * 6 + ["one order"] * 6 + ["new order"] * 6
tlkit.plots.image_grid(shown, titles=titles, columns=6)

# %% [markdown]
# To you the last two rows are the same noise. But with *one* order, every pixel still means the
# same in all pictures; with new orders only the amount of ink is left.
#
# Then charts. Can you see from the last sixty days whether a price goes up or down tomorrow? Our
# prices are made up. In half of the sets we plant a **signal**: the last twelve days drift up or
# down, and nine times in ten tomorrow goes the same way. In the others tomorrow is the toss of a
# coin.

# %%
planted, _ = cases.price_charts(6, signal=True)
tossed, _ = cases.price_charts(6, signal=False)
titles = [
    f"{what}, then {charts.class_names[label]}"
    for what, charts in (("signal", planted), ("none", tossed))
    for label in charts.labels
]
tlkit.plots.image_grid([*planted.images, *tossed.images], titles=titles, columns=6)

# %% [markdown]
# In the upper row the end of the line tells, as a rule, where the next day goes. In the lower row
# nothing tells.

# %% [markdown]
# Each set goes to four ways of answering, with 400 training pictures and five seeds:
#
# - **pretrained features**: EfficientNet-Lite0 frozen, the best depth, a linear classifier;
# - **random features**: the same with random weights;
# - **from scratch**: our small network, trained on these pictures alone;
# - **the numbers**: logistic regression on the pixels, or for charts on the prices themselves. It
#   borrows nothing and knows nothing of neighbours.

# %%
found = tlkit.results("no_transfer", by=["data", "way"])
sets = found.values("data")
ways = {
    "pretrained features": "pretrained",
    "random features": "random weights",
    "from scratch": "from scratch",
    "the numbers": "raw",
}


# %% tags=["row-D9"]
grid = [[found.runs(name, ways[way]).mean() for name in sets] for way in ways]
titles = [name.replace(", ", ",\n").replace(" order", "\norder") for name in sets]
cases.case_map(grid, list(ways), titles, {}, title="Accuracy, mean of five seeds", shared=True)

# %% [markdown]
# Read it column by column; all columns share one scale of shades.
#
# **Digits as they are**: pretrained features win. Something carries over.
#
# **One order**: there is as much to find as before. The numbers show it, for logistic regression
# does not know which pixels are neighbours. But what the pretrained network knew of strokes is of
# no use now. Its features do even worse than random ones: this is **negative transfer**, a loan
# that costs more than it brings.

# %%
plain = found.difference(("digits", "pretrained"), ("digits", "from scratch"))
claim("on plain digits pretrained features beat scratch", plain.low > 0, str(plain))

# %%
kept = found.difference(("one order", "raw"), ("digits", "raw"))
claim("one other order costs the numbers nothing", abs(kept.mean) < 0.01, str(kept))

# %%
one = {way: found.runs("one order", ways[way]) for way in ways}
harm = paired_difference(one["pretrained features"], one["random features"])
claim("on shuffled digits pretrained features lose to random ones", harm.high < -0.05, str(harm))
loan = paired_difference(one["pretrained features"], one["from scratch"])
claim("and to a network that borrowed nothing", loan.high < -0.1, str(loan))

# %% [markdown]
# **New orders**: nobody gets a quarter right, and guessing gets a tenth. What is left is the amount
# of ink. Here there is little to find, for anybody.

# %%
best = max(found.runs("new orders", ways[way]).mean() for way in ways)
claim("with new orders nobody finds much", best < 0.3, f"the best way gets {best:.0%}")

# %% [markdown]
# **Charts with a signal**: everybody finds it. The loan does no better than the small network from
# scratch, and the prices as plain numbers beat both. Why draw them at all?
#
# **Charts without a signal**: all stay at one half. There is nothing to find. Whoever tries only
# the pretrained network cannot know that: it might as well be that nothing carries over.

# %%
chart = {way: found.runs("charts, signal", ways[way]) for way in ways}
loan = paired_difference(chart["pretrained features"], chart["from scratch"])
claim("on charts the loan is no better than training from scratch", loan.mean < 0.02, str(loan))

# %%
plain = paired_difference(chart["the numbers"], chart["pretrained features"])
claim("the plain numbers beat the loan", plain.low > 0.01, str(plain))

# %%
off = max(abs(found.runs("charts, no signal", ways[way]).mean() - 0.5) for way in ways)
claim(
    "without a signal nobody beats the coin", off < 0.04, f"off by {100 * off:.0f} points at most"
)

# %% [markdown]
# One entry of the table, live: the shuffled digits, first seed. Pretrained features of `block_05`,
# the depth that the held-back pictures chose, and beside them the plain pixels.

# %%
hidden, rest = tlkit.load_dataset("digits", n=2500, image_size=32).split(500, seed=0)
shown = rest.split(400, seed=0)[0]
shuffled = [cases.shuffle_pixels(part.images, seed=0) for part in (shown, hidden)]
small_eyes = tlkit.load_backbone(image_size=64)
doubled = [each.repeat(2, axis=1).repeat(2, axis=2) for each in shuffled]
seen, unseen = (tlkit.extract_features(small_eyes, each, layer="block_05") for each in doubled)

# %%
pixels, new_pixels = (each[..., 0].reshape(len(each), -1) / 255 for each in shuffled)
by_loan = tlkit.fit_linear_head(seen, shown.labels, C=0.3).predict(unseen, verbose=0)
by_pixel = tlkit.fit_linear_head(pixels, shown.labels, C=0.003).predict(new_pixels, verbose=0)
borrowed, own = score(hidden.labels, by_loan), score(hidden.labels, by_pixel)
print(f"pretrained: {borrowed}\npixels:     {own}")

# %%
stored = [one[way][0] for way in ("pretrained features", "the numbers")]
near = np.abs(np.array([borrowed.accuracy, own.accuracy]) - stored).max()
claim(
    "live, the shuffled digits do as in the table", near, f"off by {near:.1%} at most", below=0.03
)

# %% [markdown]
# ## Another camera: keep the late layers
#
# So far we kept early layers and replaced late ones. Sometimes it is the other way round: **the
# task stays, the kind of picture changes**. Say you have a network that reads digits in colour
# pictures, and buy a camera that measures distance as well, as a fourth channel. In its pictures
# the digits are painted almost like the wall. Only the distance gives them away.

# %%
five = cases.some_digits(range(5))
some = five.take(6)
new_camera = cases.camera_pictures(some, depth=True)
shown = [*cases.camera_pictures(some), *new_camera[..., :3], *new_camera[..., 3]]
titles = ["old camera"] * 6 + ["new: colours"] * 6 + ["new: distance"] * 6
tlkit.plots.image_grid(shown, titles=titles, columns=6)

# %% [markdown]
# The old camera above; below it the new one's colours, in which there is hardly a digit to be seen,
# and its fourth channel, where the digit stands in front of a slanted wall.
#
# What should be kept? The *late* layers know what a 3 is, once they are told of strokes. The
# *early* layers have to learn anew where strokes come from. In plain Keras: build the network for
# four channels, copy the late layers, freeze them, train the rest.

# %%
known, rest = five.split(1200, seed=0)
hidden, pool = rest.split(700, seed=0)
four_times = [cases.camera_pictures(known, seed) for seed in range(4)]
coloured, answers = np.concatenate(four_times), np.tile(known.labels, 4)

# %%
reader = cases.demonstration_network(classes=5, channels=3, seed=0)
fade = keras.optimizers.schedules.CosineDecay(2e-3, 1200)
reader.compile(keras.optimizers.Adam(fade), cross_entropy)
reader.fit(coloured, answers, batch_size=64, epochs=16, verbose=0)
of_old = score(hidden.labels, reader.predict(cases.camera_pictures(hidden, 1000), verbose=0))
print(f"on new pictures of the old camera: {of_old}")

# %%
heir = cases.demonstration_network(classes=5, channels=4, seed=100)
for name in ("conv_3", "dense_1", "dense_2", "logits"):
    heir.get_layer(name).set_weights(reader.get_layer(name).get_weights())
    heir.get_layer(name).trainable = False

# %% tags=["nbval-check-output"]
moving = sum(layer.count_params() for layer in heir.layers if layer.trainable)
print(f"{moving:,} of {heir.count_params():,} weights train")

# %%
learn = pool.take(500, seed=0)
fade = keras.optimizers.schedules.CosineDecay(3e-3, 1000)
heir.compile(keras.optimizers.Adam(fade), cross_entropy)
pictures = cases.camera_pictures(learn, seed=0, depth=True)
heir.fit(pictures, learn.labels, batch_size=32, epochs=63, verbose=0)
new_pictures = cases.camera_pictures(hidden, seed=1000, depth=True)
late_kept = score(hidden.labels, heir.predict(new_pictures, verbose=0))
print(f"late layers kept, 500 labels of the new camera: {late_kept}")

# %% [markdown]
# The stored table compares what else could be kept, with five seeds and the same 500 labels. (It is
# a second design. In the first, nobody could learn the old camera's pictures. And with fewer labels
# or steps than here all ways were near guessing, so we gave them more.)
#
# - **late**: as above. *As a start*: the late layers are copied, but then they train, too;
# - **early**: the first two convolutions are copied and frozen, the rest is new. (For the fourth
#   channel, the first one takes the mean of its weights for the three colours.)
# - **all but the answers**: everything is copied and frozen, only the last layer is new;
# - **all, as a start**: everything is copied, and everything trains;
# - **none**: from scratch. *Colours alone* is a control: the fourth channel is blanked out.

# %%
cameras = tlkit.results("fourth_channel", by=["keep"])
ways_to_keep = cameras.values("keep")[1:]


# %% tags=["row-D10"]
each = [paired_difference(cameras.runs(way), 0 * cameras.runs(way)) for way in ways_to_keep]
tlkit.plots.bars_with_intervals(
    ways_to_keep,
    [found.mean for found in each],
    [(found.low, found.high) for found in each],
    value_label="accuracy with 95 % interval over five seeds; guessing gives 20 %",
    percent=True,
    title="What is kept",
)

# %% [markdown]
# Each bar is a mean over five seeds, the thin line its interval. **Late layers, kept and frozen,
# win by far.** Kept early layers are no better than guessing: they look for light strokes in
# colours, here are dark ones in a channel that they have never seen, and what follows cannot mend
# what they leave out. So the usual order, early layers first, is turned round when the *input*
# changes.
#
# And look at the second bar. The same late layers, free to move, fall far behind the frozen ones:
# five hundred pictures are few, and whatever can move can also learn them by heart.


# %%
def better(ours, theirs):
    return cameras.difference(ours, theirs)


over_none, over_early = better("late", "none"), better("late", "early")
over_start = better("late", "late, as a start")

# %%
claim("keeping the late layers beats training from scratch", over_none.low > 0.1, str(over_none))
claim("and keeping the early ones", over_early.low > 0.2, str(over_early))
claim("frozen late layers beat those that move", over_start.low > 0.03, str(over_start))

# %%
blind = cameras.runs("none, colours alone").mean()
claim("the colours alone tell nearly nothing", blind < 0.26, f"{blind:.0%}, guessing gives 20%")

# %% [markdown]
# The live run above was one entry. Such runs differ a good deal from seed to seed, so we don't ask
# for the same figure. But it should beat every stored run from scratch.

# %%
from_scratch = cameras.runs("none")
claim(
    "live, too, keeping the late layers beats training from scratch",
    late_kept.accuracy,
    f"{late_kept.accuracy:.0%}, from scratch {from_scratch.max():.0%} at best",
    above=from_scratch.max(),
)

# %% [markdown]
# ## Another task: draw masks
#
# A classifier says *sunglasses*. **Segmentation** says where: it marks the pixels. Can a network
# that only ever learnt to give names do that? Its feature maps still know places: every number in
# them belongs to a spot of the picture. Early maps are sharp but only know edges, late maps
# know things but are coarse.
#
# The composed people come with exact masks: the pixels that change when the hat is taken off.

# %%
images, _, masks = tlkit.data.compose_people(150, 96, seed=0, masks=True)
unseen, _, true_masks = tlkit.data.compose_people(200, 96, seed=1000, masks=True)
pairs = [picture for n in range(6) for picture in (images[n], 255 * masks[n].astype("uint8"))]
tlkit.plots.image_grid(pairs, titles=["picture", "its mask"] * 6, columns=6)

# %% [markdown]
# A **decoder** is a small network that turns maps into a mask. It starts with the late, coarse
# maps, enlarges them, adds the finer ones, and ends in one number for each pixel: above 0 means
# "belongs to it". With two depths it looks like this in plain Keras:

# %%
from keras import layers

fine, coarse = keras.Input((24, 24, 24)), keras.Input((6, 6, 112))
x = layers.Conv2D(24, 3, padding="same", activation="relu")(coarse)
x = layers.UpSampling2D(4, interpolation="bilinear")(x)
x = layers.Add()([x, layers.Conv2D(24, 1)(fine)])
x = layers.Conv2D(24, 3, padding="same", activation="relu")(x)
mask = layers.UpSampling2D(4, interpolation="bilinear")(layers.Conv2D(1, 1)(x))
sketch = keras.Model([fine, coarse], mask)

# %% tags=["nbval-check-output"]
print("from", sketch.input_shape, "to", sketch.output_shape)

# %% [markdown]
# `cases.mask_decoder` does the same for any number of depths, and brings the maps to one scale
# first. The network itself stays frozen, so its maps are computed once.

# %%
depths = ["block_00", "block_02", "block_04", "block_10"]
eyes = tlkit.load_backbone(image_size=96)


def maps_of(pictures):
    return [tlkit.extract_features(eyes, pictures, layer=d, pooled=False) for d in depths]


maps, unseen_maps = maps_of(images), maps_of(unseen)

# %%
decoder = cases.mask_decoder([each.shape[1:] for each in maps], image_size=96, seed=0)
fade = keras.optimizers.schedules.CosineDecay(3e-3, 25 * 10)
decoder.compile(keras.optimizers.Adam(fade), keras.losses.BinaryCrossentropy(from_logits=True))
decoder.fit(maps, masks[..., None].astype("float32"), batch_size=16, epochs=25, verbose=0)
drawn = decoder.predict(unseen_maps, verbose=0)[..., 0] > 0

# %% [markdown]
# How good is a mask? **Intersection over union** (IoU): the pixels that the drawn and the true mask
# share, divided by those that either covers. 1 is perfect, 0 is nothing in common.

# %%
overlap = cases.intersection_over_union(drawn, true_masks)
print(f"on 200 new people the masks overlap by {overlap.mean():.2f} on average")

# %% tags=["row-D11"]
rows = zip(unseen[:4], true_masks[:4], drawn[:4])
shown = [p if p.ndim == 3 else 255 * p.astype("uint8") for row in rows for p in row]
says = [t for each in overlap[:4] for t in ("picture", "true mask", f"drawn, IoU {each:.2f}")]
tlkit.plots.image_grid(shown, titles=says, columns=6)

# %% [markdown]
# Four people that the decoder has never seen, with the true mask and the drawn one. The network
# that supplies the maps was never shown a mask.
#
# And the control: the same decoder on the same network with random weights. The stored table has
# three seeds of each, and also decoders that see only the early or only the late maps.

# %%
drawings = tlkit.results("segmentation", by=["weights", "depths"])


# %% tags=["row-D11", "nbval-check-output"]
print(f"{'IoU, mean of three seeds':24} {'pretrained':>12} {'random weights':>16}")
for name in ("four depths", "early alone", "late alone"):
    both = [drawings.runs(weights, name).mean() for weights in ("pretrained", "random weights")]
    print("{:24} {:12.2f} {:16.2f}".format(name, *both))
print(f"{'mark every pixel':24} {drawings.runs('none', 'mark everything').mean():12.2f}")

# %%
gains = {
    name: drawings.difference(("pretrained", name), ("random weights", name))
    for name in ("four depths", "early alone", "late alone")
}
for name, gain in gains.items():
    print(f"{name:12} {gain.mean:+.2f} (95 % interval {gain.low:+.2f} to {gain.high:+.2f})")

# %%
claim(
    "pretrained maps draw better masks",
    gains["four depths"].low > 0.1,
    f"{gains['four depths'].mean:+.2f}",
)

# %%
both = drawings.runs("pretrained", "four depths") - np.maximum(
    drawings.runs("pretrained", "early alone"), drawings.runs("pretrained", "late alone")
)
claim("early and late maps together beat either alone", both.min() > 0.15, f"{both.mean():+.2f}")

# %%
near = abs(overlap.mean() - drawings.runs("pretrained", "four depths").mean())
claim("the live masks agree with the stored table", near, f"off by {near:.2f}", below=0.07)

# %% [markdown]
# Random maps are not useless: their early ones keep the picture, in which a decoder may find dark
# glasses by itself. But of late random maps it makes nothing at all, while the pretrained ones,
# coarse as they are, know what stands where.

# %% [markdown]
# ## What you measured
#
# - The rule of thumb: two questions, four cases. With few labels it named the best strategy, with
#   many labels it hardly mattered what you did.
# - Only with few labels *and* a similar task did the borrowed layers clearly beat everything that
#   borrows nothing. On the textures random early layers did nearly as well as pretrained.
# - Pixels in one other order turn the loan into a loss, though there is as much to find as before.
#   Without a signal nobody finds anything, and only a control can tell the two apart.
# - When the camera changes and the classes stay, the *late* layers are the ones to keep.
# - A network that was trained to give names also knows places: a small decoder made masks of its
#   maps, far better ones than of the maps of a random network.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
quiz(
    [
        Question(
            "You have forty labelled pictures of leaves, and a network trained on ImageNet, which "
            "has many plants in it. What does the rule of thumb advise?",
            [
                ("fine-tune all", "No: forty labels cannot hold millions of weights in place."),
                (
                    "a linear classifier on the last features",
                    "Right: few labels, similar task. Only the last layer is new.",
                ),
                ("train from scratch", "No: that wants the most labels of all."),
            ],
        ),
        Question(
            "A probe on the first convolution of a pretrained network gets 75 %, one on its last "
            "features 50 %. The same network with random weights gets 76 % at the first "
            "convolution. What was shown?",
            [
                ("early features transfer", "No: random ones do as well, so nothing was carried."),
                (
                    "the late features lose what this task needs",
                    "Right: and no more than that. The control takes away the other half.",
                ),
                ("random weights are best", "No: one point is within what luck explains."),
            ],
        ),
        Question(
            "Pretrained features give 52 % on a question with two answers. A network from scratch "
            "gives 88 % on the same pictures. What does that mean?",
            [
                ("there is nothing to find", "No: somebody found it, without borrowing."),
                ("the test is too small", "No: a gap of 36 points is no accident."),
                (
                    "nothing carries over",
                    "Right: there is something in the pictures that these features do not hold.",
                ),
            ],
        ),
        Question(
            "All pixels of all pictures are put in one fixed other order. Which of these does not "
            "care at all?",
            [
                (
                    "logistic regression on the pixels",
                    "Right: it has a weight for each pixel and does not know its neighbours.",
                ),
                ("a convolution", "No: it looks at neighbours, and those are strangers now."),
                ("your eye", "No: try it above."),
            ],
        ),
        Question(
            "Your new camera sees heat instead of light, the classes stay the same. Which layers "
            "would you replace first?",
            [
                ("the last one", "No: the classes stay the same, so its answers still fit."),
                (
                    "the first ones",
                    "Right: the input changed. What comes after strokes and shapes may stay.",
                ),
                ("all of them", "No: then you would have saved nothing. Try it as the control."),
            ],
        ),
        Question(
            "A mask covers 100 pixels, the true one 100 others, and 50 they share. What is their "
            "intersection over union?",
            [
                ("one half", "No: that would be the shared part of *one* mask."),
                ("one third", "Right: 50 shared, 150 covered by either."),
                ("one quarter", "No: the shared pixels count once, not twice: 150, not 200."),
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
# **1. Ask the rule.** You have 60 pictures from a microscope, and the demonstration network that
# knows digits. Which of the five `strategies` does the rule advise?

# %% tags=["exercise"]
# STUB
advised = ...
# SOLUTION
advised = "earlier features"
# END
check(
    advised,
    "earlier features",
    choices=strategies,
    hints=[("last features", "Is a microscope's picture similar to a digit?")],
    hint="Few labels, and a different task: find the drawing above.",
    name="Exercise 1",
)

# %% [markdown]
# **2. Count.** How many weights does the strategy *last features* train in the demonstration
# network, with five classes? (`network.get_layer("logits")` tells its size.)

# %% tags=["exercise"]
# STUB
trained = ...
# SOLUTION
trained = network.get_layer("logits").count_params()
# END
check(
    trained,
    325,
    hints=[
        (320, "Each class has a bias as well."),
        (51_653, "That is the whole network; count only what is new."),
    ],
    hint="64 features, 5 classes, and a bias for each class.",
    name="Exercise 2",
)

# %% [markdown]
# **3. Read the table.** In which columns is the winner (the star) *not* one of the advised
# strategies? Put how many there are into `lost`. Use `means`, `columns` and `advice`.

# %% tags=["exercise"]
# STUB
lost = ...
# SOLUTION
winners = np.array(means)[: len(strategies)].argmax(axis=0)
lost = sum(strategies[w] not in advice[name] for w, name in zip(winners, columns))
# END
right_count = sum(
    strategies[int(np.argmax([means[s][c] for s in range(len(strategies))]))] not in advice[name]
    for c, name in enumerate(columns)
)
check(
    lost,
    right_count,
    hint="Count the columns whose star has no orange frame around it.",
    name="Exercise 3",
)

# %% [markdown]
# **4. Write it yourself: what is wrong?** A function that takes the accuracies of pretrained
# features and of a control that borrows nothing, and that of guessing (`chance`). It answers
# `"it carries over"` if pretrained is at least 5 points above the control and above chance; else
# `"nothing to find"` if the control is less than 5 points above chance; else
# `"nothing carries over"`.


# %% tags=["exercise"]
# STUB
def verdict(pretrained, control, chance):
    """What three accuracies say, in words."""
    return ...


# SOLUTION
def verdict(pretrained, control, chance):
    """What three accuracies say, in words."""
    if pretrained - max(control, chance) >= 0.05:
        return "it carries over"
    return "nothing to find" if control - chance < 0.05 else "nothing carries over"


# END


check(
    verdict,
    cases=[
        ((0.95, 0.80, 0.10), "it carries over"),
        ((0.52, 0.51, 0.50), "nothing to find"),
        ((0.55, 0.88, 0.50), "nothing carries over"),
        ((0.58, 0.40, 0.50), "it carries over"),
    ],
    hint="Ask first whether borrowing pays, then whether anybody finds anything.",
    name="Exercise 4",
)

# %% [markdown]
# **5. Write it yourself: the overlap of two masks.** A function that takes two masks (arrays of
# truth values) and gives the number of pixels that both cover, divided by the number that either
# covers.


# %% tags=["exercise"]
# STUB
def overlap_of(mask, other):
    """Intersection over union."""
    return ...


# SOLUTION
def overlap_of(mask, other):
    """Intersection over union."""
    return (mask & other).sum() / (mask | other).sum()


# END


half, all_of_it = np.array([True, True, False, False]), np.array([True] * 4)
check(
    overlap_of,
    cases=[((half, all_of_it), 0.5), ((half, half), 1.0), ((half, ~half), 0.0)],
    hints=[(2, "Divide by the number of pixels that either of them covers.")],
    hint="& is true where both are, | where either is; .sum() counts.",
    name="Exercise 5",
)

# %% [markdown]
# **6. On your own.** Load a folder of your own pictures with `tlkit.load_folder`, ask
# `tlkit.recommend`, and then try the recommended strategy and one other. Did the advice win?

# %% [markdown]
# ## Further reading
#
# - CS231n, *Transfer Learning*, the source of the rule of thumb:
#   <https://cs231n.github.io/transfer-learning/>
# - Kornblith et al. 2019, *Do Better ImageNet Models Transfer Better?*, who compare fixed features,
#   fine-tuning and training from scratch on twelve tasks: <https://arxiv.org/abs/1805.08974>
# - He et al. 2019, *Rethinking ImageNet Pre-training*, for what many labels can do from random
#   weights: <https://arxiv.org/abs/1811.08883>
# - Long et al. 2015, *Fully Convolutional Networks for Semantic Segmentation*, who made classifiers
#   draw masks: <https://arxiv.org/abs/1411.4038>
#
# ## Curriculum rows
#
# This lesson covered D8 to D11.
