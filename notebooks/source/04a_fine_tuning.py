# %% [markdown]
# # 04a · Fine-tuning
#
# In lesson 03 the pretrained network stayed as it was, and only a new head was trained. Now we let
# the network itself move. That can gain a lot, and it can ruin everything without a word. In this
# lesson you do both on purpose, and measure.
#
# ## What you will be able to do
#
# - fine-tune a pretrained network in four steps, in plain Keras;
# - say what a random head does to good weights, and what it costs;
# - choose which layers to train, and at which rate, from a table;
# - fall into the batch-normalisation trap, climb out, and never fall again;
# - find the mistakes that raise no error, with `tlkit.diagnose`.
#
# ## How long it takes
#
# An hour of reading and trying. Running everything takes about two minutes on two cores.
#
# ## What you need
#
# Lesson 03. Everything is on your computer already.

# %% [markdown]
# ## Four steps
#
# Some drawn people wear sunglasses, the others a hat. We have a hundred labelled pictures to train
# on, and three hundred others to judge by: the test pictures.

# %%
import tlkit
from tlkit.course import Question, check, claim, quiz
from tlkit.scores import paired_difference, score

train = tlkit.load_dataset("sunglasses-or-hat", n=100, image_size=96, seed=0)
test = tlkit.load_dataset("sunglasses-or-hat", n=300, image_size=96, seed=1000)
train.show(12)

# %% [markdown]
# **Step 1: take a pretrained network. Step 2: cut it in two.** The early part, which describes a
# picture, stays. The old head, which answers somebody else's question, goes. `load_backbone` gives
# the network with the head cut off.

# %% tags=["nbval-check-output"]
base = tlkit.load_backbone("efficientnet-lite0", image_size=96)
print("a picture", base.input_shape[1:], "becomes", base.output_shape[1:])

# %% [markdown]
# **Step 3: train a new head while the rest is frozen.** A frozen network always answers alike, so
# it runs once, as in lesson 03, and the head is fitted on what comes out. We call this head
# **settled**: it knows the new classes already.

# %%
import keras
import numpy as np

base.trainable = False
features = tlkit.extract_features(base, train.images)
head = tlkit.fit_linear_head(features, train.labels)
pooled = keras.layers.GlobalAveragePooling2D()(base.output)
model = keras.Model(base.input, head(pooled))

# %%
test_features = tlkit.extract_features(base, test.images)
frozen = score(test.labels, head(test_features))
claim("a head on the frozen network is far above guessing", frozen.low, str(frozen), above=0.75)

# %% [markdown]
# **Step 4: unfreeze, and train the whole with a smaller rate.** The **learning rate** is the size
# of the steps that training takes. A head alone is often trained at 0.01 or 0.001; here we take
# 0.0001. One kind of layer stays frozen, **batch normalisation**. Why, you will see further down.

# %%
base.trainable = True
for layer in base.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.trainable = False

# %%
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Adam(1e-4), cross_entropy, metrics=["accuracy"])

# %% [markdown]
# `compile` comes *after* the unfreezing: only then does the change count. We train for 30
# **steps**. In each one the network sees 16 pictures, and every weight that is not frozen moves a
# little. `order` says which pictures come when, so that every run of this lesson sees them alike.

# %%
rng = np.random.default_rng(0)
order = np.concatenate([rng.permutation(100) for _ in range(5)])[: 30 * 16]
pretrained, settled_head = base.get_weights(), head.get_weights()


# %%
def train_30_steps(model):
    model.fit(train.images[order], train.labels[order], batch_size=16, shuffle=False, verbose=0)


def on_test(model):
    return score(test.labels, model.predict(test.images, batch_size=100, verbose=0))


# %% tags=["row-D1"]
train_30_steps(model)
tuned = on_test(model)
print(f"head only, the network frozen: {frozen}")
print(f"everything moved:              {tuned}")

# %% [markdown]
# That is **fine-tuning**. The intervals say how far three hundred pictures can be trusted. But this
# is one run with one set of training pictures, and another might go otherwise. The rest of the
# lesson asks the questions that the four steps leave open, and answers them with more runs.
#
# `tlkit.unfreeze` does the loop of step 4 and counts.

# %% tags=["nbval-check-output"]
tlkit.unfreeze(model)

# %% [markdown]
# ## Why settle the head first?
#
# The usual reason goes like this. A new head has random weights. Its first answers are nonsense, so
# its first corrections are large, and they run backwards through the whole network. Good weights
# get knocked about by a head that knows nothing. Once the head has settled, the corrections are
# small, and the network starts in a better place.
#
# So let us do it wrong: a random head, and nothing frozen. We use **SGD** (stochastic gradient
# descent), the plainest way of training: a weight moves by its correction, times the rate.
# (`momentum=0.9` lets it keep some of the swing of the steps before.)

# %%
keras.utils.set_random_seed(0)
random_head = keras.layers.Dense(2)
random_head.build((None, 1280))
model.set_weights([*pretrained, *random_head.get_weights()])

# %%
model.compile(keras.optimizers.SGD(1e-3, momentum=0.9), cross_entropy, metrics=["accuracy"])
train_30_steps(model)
wrecked = on_test(model)
print(f"from a random head, SGD: {wrecked}")

# %% [markdown]
# And how far did the very first filters move? We measure the length of their change, as a share of
# their own length.

# %%
first = base.get_layer("stem_conv").get_weights()[0]
before = pretrained[0]
live_move = float(np.linalg.norm(first - before) / np.linalg.norm(before))
print(f"the first filters moved by {live_move:.2%} of their length")

# %% [markdown]
# Is that much? We need the same run with a settled head to compare, and more seeds than one. So
# here is a stored table: the same training with eight seeds, each with a hundred pictures of its
# own, from a settled and from a random head, with SGD and with **Adam**, the optimizer that most
# people use. (`make experiments` computes it again.)

# %%
table = tlkit.results("fine_tuning", by=["what"])
both = table + tlkit.results("fine_tuning_seeds", by=["what"])


# %%
ways = {
    "Adam, settled head": {"optimizer": "adam", "rate": 1e-4, "head": "settled"},
    "Adam, random head": {"optimizer": "adam", "rate": 1e-4, "head": "random"},
    "SGD, settled head": {"optimizer": "sgd", "rate": 1e-3, "head": "settled"},
    "SGD, random head": {"optimizer": "sgd", "rate": 1e-3, "head": "random"},
}

# %% tags=["row-D2", "nbval-check-output"]
moves = {way: both.runs("everything", column="moved_stem", **ways[way]) for way in ways}
print("                     first filters moved    accuracy")
for way, move in moves.items():
    accuracy = both.runs("everything", **ways[way]).mean()
    print(f"{way:20} {move.mean():19.3%} {accuracy:11.1%}")

# %% [markdown]
# Under SGD the usual story is true: the random head threw the first filters dozens of times as far.
# Under Adam hardly anything changed. Adam divides each correction by its own usual size, so a large
# one moves a weight no further than a small one.

# %%
by_sgd = moves["SGD, random head"] / moves["SGD, settled head"]
by_adam = moves["Adam, random head"] / moves["Adam, settled head"]
claim(
    "under SGD a random head throws the first filters more than ten times as far",
    by_sgd.min() > 10,
    f"{by_sgd.min():.0f} to {by_sgd.max():.0f} times, eight seeds",
)
claim("under Adam not twice as far", by_adam.max() < 2, f"at most {by_adam.max():.1f} times")

# %% [markdown]
# But did it *cost* anything? Here is what each way gains over the frozen network: a difference for
# each seed, then their mean. The thin line is the 95 % interval.

# %%
head_only = both.runs("head only")
gains = {w: paired_difference(both.runs("everything", **ways[w]), head_only) for w in ways}
tlkit.plots.bars_with_intervals(
    list(gains),
    [round(100 * gain.mean, 1) + 0.0 for gain in gains.values()],
    [(100 * gain.low, 100 * gain.high) for gain in gains.values()],
    value_label="gain over the frozen network in points, with 95 % interval",
    title="everything moves, 100 labels, eight seeds",
)

# %% [markdown]
# From a settled head both optimizers surely gain. From a random head the thin lines are longer: it
# is more of a lottery, and with SGD the mean gain is nothing. Yet settled and random overlap. Eight
# seeds are *not* enough to be sure that settling first pays on average.

# %%
for optimizer in ("Adam", "SGD"):
    settled, random = gains[f"{optimizer}, settled head"], gains[f"{optimizer}, random head"]
    claim(f"{optimizer}: from a settled head moving surely gains", settled.low > 0, str(settled))
    narrower = settled.high - settled.low < random.high - random.low
    claim(f"{optimizer}: from a random head the outcome varies more", narrower, str(random))

# %%
for optimizer in ("Adam", "SGD"):
    heads = [ways[f"{optimizer}, {head} head"] for head in ("settled", "random")]
    by_settling = paired_difference(*[both.runs("everything", **each) for each in heads])
    claim(f"{optimizer}: what settling gains is not sure", by_settling.low < 0, str(by_settling))

# %% [markdown]
# So why does everybody settle the head first? Look at what happens when the rate is ten times too
# high, which is easily done. These are the accuracies of three seeds each; 50 % is guessing.

# %% tags=["nbval-check-output"]
for optimizer, rate in (("adam", 1e-3), ("sgd", 1e-2)):
    for start in ("settled", "random"):
        found = table.runs("everything", optimizer=optimizer, rate=rate, head=start)
        print(f"{optimizer:4} at {rate}, {start:7} head:", *[f"{each:4.0%}" for each in found])

# %%
survived = {
    start: sum(
        (table.runs("everything", optimizer=o, rate=r, head=start) > 0.8).sum()
        for o, r in (("adam", 1e-3), ("sgd", 1e-2))
    )
    for start in ("settled", "random")
}
claim("no run from a random head survived that rate", survived["random"] == 0, "of six")
claim("some from a settled head did", survived["settled"] >= 2, f"{survived['settled']} of six")

# %% [markdown]
# Settle the head first, then: it takes a second, it makes the result steadier, and it forgives
# more. Whether it also gives better accuracy when all else is right, these runs cannot tell.
#
# The two live runs above were rows of this table, of its first seed: Adam from a settled head, and
# SGD from a random one.

# %%
settled_move = moves["SGD, settled head"].mean()
claim(
    "the live run from a random head, too, threw the first filters far",
    live_move / settled_move,
    f"{live_move / settled_move:.0f} times as far as settled heads do",
    above=8,
)

# %%
in_table = both.runs("everything", **ways["Adam, settled head"])[0]
claim(
    "the live run from the settled head gained, as its row did",
    tuned.accuracy - frozen.accuracy,
    f"{frozen.accuracy:.1%} frozen, {tuned.accuracy:.1%} moved; in its row {in_table:.1%}",
    above=0,
)

# %% [markdown]
# ## Which layers?
#
# You need not move everything. Here is the ladder, from the least to the most, with three seeds
# each. **Head on block_12** is lesson 03's other idea: keep all frozen, but read an earlier layer.
# **Scratch** is the same network with random weights and no pretraining, as a control; it got
# twice as many steps.

# %%
rungs = {
    "head only": {},
    "head on block_12": {},
    "last block": {"optimizer": "adam", "rate": 1e-4},
    "everything": ways["Adam, settled head"],
    "scratch": {"labels": 100},
}

# %% tags=["row-D3", "nbval-check-output"]
print("what trains          parameters   seconds   accuracy")
for what, setting in rungs.items():
    row = [table.runs(what, column=c, **setting) for c in ("trained_parameters", "seconds", "test")]
    print(f"{what:18} {row[0][0]:12,} {row[1].mean():9.1f} {row[2].mean():10.1%}")

# %% [markdown]
# The seconds are those of the computer that made the table; read them as ratios.

# %%
step = paired_difference(*[table.runs(w, **rungs[w]) for w in ("last block", "head only")])
claim("the last block gains a little over the head", step.low > 0, str(step))
step = paired_difference(*[table.runs(w, **rungs[w]) for w in ("everything", "last block")])
claim("everything gains more, though three seeds are not sure", step.mean > 0.015, str(step))
behind = paired_difference(*[table.runs(w, **rungs[w]) for w in ("everything", "scratch")])
claim("from scratch is far behind", behind.low > 0.1, str(behind))

# %% [markdown]
# The rule of thumb says: start at the end and work backwards while it pays. From the head to the
# last block to everything, each step paid something here, and cost several times more. But look at
# the second row. A head of 386 parameters on an earlier layer, with nothing moved at all, did as
# well as moving all 3.3 million.

# %%
cheap = paired_difference(*[table.runs(w, **rungs[w]) for w in ("head on block_12", "everything")])
claim("an earlier layer, frozen, does as well as moving all", abs(cheap.mean) < 0.02, str(cheap))

# %% [markdown]
# Here the network's *last* layers were the problem: they know the things of ImageNet, not drawn
# hats. Fine-tuning mends them; reading past them costs half a second. So before you fine-tune, try
# the earlier layers. Lesson 04b asks when each way wins.

# %% [markdown]
# ## A head start
#
# Suppose you had labels enough, say four hundred. Is pretraining still worth something? It is where
# the network starts from: a **warm start**. Here are both, step by step, with the same pictures.

# %%
stops = [10, 20, 30, 60]
courses = np.array(
    [[table.runs(way, steps=s, labels=400) for s in stops] for way in ("warm", "scratch")]
)

# %% tags=["row-D4"]
tlkit.plots.curve(
    stops,
    courses.mean(axis=-1),
    ["pretrained", "from scratch"],
    np.stack([courses.min(axis=-1), courses.max(axis=-1)], axis=1),
    x_label="training steps of 16 pictures",
    y_label="accuracy on 300 test pictures",
    percent=True,
    title="400 labels, three seeds: mean, best and worst",
)

# %%
worst_warm, best_scratch = courses[0, 0].min(), courses[1, -1].max()
claim(
    "the worst warm start after 10 steps is ahead of the best from scratch after 60",
    worst_warm > best_scratch,
    f"{worst_warm:.0%} against {best_scratch:.0%}",
)
warm = courses[0, -1].mean()
claim("and after 60 it makes hardly a mistake", warm > 0.96, f"{warm:.1%}")

# %% [markdown]
# The network from scratch has only begun to climb. With many more steps and pictures it would come
# closer; we stopped it long before that. (It got a rate of its own, twenty times higher: from
# random values small steps lead nowhere.) What the curves show is *speed*: the warm start is there
# before the other has found out what a hat is.

# %% [markdown]
# ## Which rate?
#
# The rule: **a tenth of the head's rate, or less.** We train the head alone at five rates, for the
# same 30 steps, on the frozen features. That takes moments, so we do it live.

# %%
rates = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2]


# %%
def head_alone(rate):
    keras.utils.set_random_seed(0)
    new_head = keras.Sequential([keras.Input((1280,)), keras.layers.Dense(2)])
    new_head.compile(keras.optimizers.Adam(rate), cross_entropy)
    new_head.fit(features[order], train.labels[order], batch_size=16, shuffle=False, verbose=0)
    return score(test.labels, new_head(test_features)).accuracy


by_head = [head_alone(rate) for rate in rates]

# %% [markdown]
# The sweep of the whole network, from a settled head, is in the table: three seeds for each rate.

# %%
sweep = np.array(
    [table.runs("everything", optimizer="adam", rate=r, head="settled") for r in rates]
)

# %% tags=["row-D5"]
spread = [[by_head, by_head], [sweep.min(axis=1), sweep.max(axis=1)]]
tlkit.plots.curve(
    rates,
    [by_head, sweep.mean(axis=1)],
    ["head alone", "everything"],
    spread,
    x_label="learning rate (Adam, 30 steps)",
    y_label="accuracy on 300 test pictures",
    log_x=True,
    percent=True,
)

# %% [markdown]
# (`1e-06` is short for 0.000001.) The shade reaches from the worst seed to the best. The two lines
# want different rates: the head alone, which begins at random, wants a high one. For the whole
# network both ends fail. At a millionth, nothing has happened yet: the line begins where the
# settled head was. At 0.001 it is a gamble, and at 0.01 the network is gone: it does no better than
# guessing.

# %%
by_rate = dict(zip(rates, sweep.mean(axis=1), strict=True))
still = by_rate[1e-6] - table.runs("head only").mean()
claim("at the low end hardly anything happens", still < 0.02, f"{100 * still:+.1f} points")
claim("at the high end all is lost", by_rate[1e-2] < 0.55, f"{by_rate[1e-2]:.0%}, like guessing")
best = max(by_rate, key=by_rate.get)
claim("the best lies between", best in (1e-5, 1e-4), f"{best:g}")
best_head = rates[int(np.argmax(by_head))]
claim("it is a tenth of the head's, or less", best <= best_head / 10, f"{best_head:g} for the head")

# %% [markdown]
# We read all this off test pictures, to see the whole curve. To *choose* a rate, hold labelled
# pictures back for it, or use the range test of lesson 05.

# %% [markdown]
# ## The batch-normalisation trap
#
# **Batch normalisation** (batch norm) keeps the numbers inside a network in a steady range. It
# subtracts an average and divides by a spread. It has two ways of getting these:
#
# - in **training**, from the 16 pictures of the batch at hand;
# - in **use**, from **running statistics**: averages that it collected while it was trained.
#
# Ours collected them over a million photographs. If it goes on collecting while you fine-tune, they
# drift towards your few pictures. And the network trains with one kind of average and is used with
# the other.
#
# The popular recipe, in Keras's own guide, too, says: pass `training=False` when you build the
# model, and batch norm keeps still. We run it as published.

# %%
fresh = tlkit.load_backbone("efficientnet-lite0", image_size=96)
fresh.trainable = False
inputs = keras.Input((96, 96, 3))
maps = fresh(inputs, training=False)  # the recipe's safeguard
recipe = keras.Model(inputs, head(keras.layers.GlobalAveragePooling2D()(maps)))
head.set_weights(settled_head)

# %%
fresh.trainable = True
recipe.compile(keras.optimizers.Adam(1e-5), cross_entropy, run_eagerly=True)


# %% [markdown]
# (`run_eagerly` spares us the wait before a long training, in which Keras prepares it. We take only
# six steps.) Did the statistics keep still?


# %%
def moved_statistics(network):
    """How many of the running averages and spreads are not what they were."""
    pairs = zip(network.weights, pretrained, strict=True)
    return sum("moving" in w.path and not np.array_equal(w, then) for w, then in pairs)


# %%
six_steps = order[: 6 * 16]
recipe.fit(train.images[six_steps], train.labels[six_steps], batch_size=16, verbose=0)
drifted = moved_statistics(fresh)
total = sum("moving" in weight.path for weight in fresh.weights)

# %% tags=["row-D6"]
print(f"Keras {keras.__version__}: {drifted} of {total} running statistics moved")

# %% [markdown]
# **How to read this line.** When this page was made, the number was all of them: the safeguard did
# nothing. That is so in Keras 3.3 to 3.15. Releases after that are to honour it again, and the
# line will then say 0. So whether the recipe works depends on the version that happens to be
# installed, and nothing tells you when it does not.
#
# What works in every version: unfreeze first, **then** set `trainable = False` on every batch-norm
# layer. In Keras that also makes the layer use its running statistics while the rest trains.

# %%
fresh.set_weights(pretrained)
for layer in fresh.layers:
    if isinstance(layer, keras.layers.BatchNormalization):
        layer.trainable = False
recipe.compile(keras.optimizers.Adam(1e-5), cross_entropy, run_eagerly=True)
recipe.fit(train.images[six_steps], train.labels[six_steps], batch_size=16, verbose=0)
kept = moved_statistics(fresh)

# %%
filters_moved = not np.array_equal(fresh.get_weights()[0], pretrained[0])
claim("frozen after the unfreezing, all statistics keep still", kept == 0, f"{kept} of {total}")
claim("while the filters around them train", filters_moved)

# %% [markdown]
# ### What does it cost?
#
# The stored table has both ways, at the rate of the published recipe, 0.00001, for eight seeds. It
# was made with Keras 3.15, where batch norm moves.

# %%
still_gain = paired_difference(
    both.runs("everything", optimizer="adam", rate=1e-5, head="settled"), head_only
)
live_gain = paired_difference(both.runs("batch norm live"), head_only)

# %%
tlkit.plots.bars_with_intervals(
    ["batch norm frozen", "batch norm moves"],
    [round(100 * gain.mean, 1) + 0.0 for gain in (still_gain, live_gain)],
    [(100 * gain.low, 100 * gain.high) for gain in (still_gain, live_gain)],
    value_label="gain over the frozen network in points, with 95 % interval",
    title="everything at a rate of 0.00001, eight seeds",
)

# %% [markdown]
# With batch norm frozen, fine-tuning gains. With batch norm moving, the whole gain is gone: you
# trained for nothing. And the statistics had hardly begun to drift.

# %%
cost = paired_difference(
    both.runs("everything", optimizer="adam", rate=1e-5, head="settled"),
    both.runs("batch norm live"),
)
claim("the trap costs accuracy", cost.low > 0.01, str(cost))
claim("the careful way gains", still_gain.low > 0, str(still_gain))
claim("the recipe gains nothing", live_gain.low < 0, str(live_gain))
drift = both.runs("batch norm live", column="drift").mean()
claim("though the averages drifted little", 0 < drift < 0.1, f"{drift:.3f} standard deviations")

# %% [markdown]
# We cannot say how much of the cost is the drift itself, and how much the training on one kind of
# average for a use with the other. Freezing the layers prevents both.
#
# `tlkit.unfreeze` always freezes them. `tlkit.fine_tune` does the four steps in one call: it holds
# pictures back for validation, settles the head, unfreezes, and keeps the best **epoch** (one round
# through all training pictures). Here it moves only the last block.

# %%
fresh.set_weights(pretrained)
result = tlkit.fine_tune(fresh, train, from_layer="block_15", epochs=3)
print(f"kept epoch {result.best_epoch}")

# %% [markdown]
# Epoch 0 is the settled head, before anything else moved. If no later epoch does better on the
# pictures held back, you get that one: what does not help is undone.

# %% [markdown]
# ## Mistakes that raise no error
#
# The trap is one of a family. Nothing crashes, the loss goes down, and the result is poorer than it
# should be. We make six more of them, mostly on a small model: the early part of the network, with
# its pretrained weights, and a new head.

# %%
base.set_weights(pretrained)
part = keras.Model(base.input, base.get_layer("block_05").output, name="part")


# %%
def classifier(outputs=2, activation=None):
    part.trainable = False
    dense = keras.layers.Dense(outputs, activation=activation)
    return keras.Sequential([part, keras.layers.GlobalAveragePooling2D(), dense])


def names(model, pictures=train):
    return [finding.name for finding in tlkit.diagnose(model, pictures)]


# %% [markdown]
# `tlkit.diagnose` looks at a model as it stands, and at what it makes of a few of your pictures.
#
# **One: forgetting to unfreeze.** You lower the rate for fine-tuning, but everything but the head
# is still frozen.

# %%
small = classifier()
small.compile(keras.optimizers.Adam(1e-5), cross_entropy)
found_one = names(small)
tlkit.diagnose(small, train)

# %% [markdown]
# A table with one line: what was found, how bad it is, what it means, and what to do. From now on
# we print only the names.
#
# **Two: unfreezing without compiling again.** We train the head, unfreeze, and go on.

# %%
small.compile(keras.optimizers.Adam(1e-3), cross_entropy)
small.fit(train.images[:32], train.labels[:32], batch_size=16, verbose=0)
tlkit.unfreeze(small)
still_there = part.get_weights()
small.fit(train.images[:32], train.labels[:32], batch_size=16, verbose=0)
same = all(np.array_equal(a, b) for a, b in zip(part.get_weights(), still_there, strict=True))

# %%
claim("unfrozen, trained, and not a weight of the network has moved", same)
found_two = names(small)
print(found_two)

# %% [markdown]
# **Three: scaling the inputs twice.** This network scales pictures from 0–255 by itself, and we
# divide by 255 as well, as so many recipes do. Lesson 03 measured what that costs.

# %%
right = classifier()
right.compile(keras.optimizers.Adam(1e-3), cross_entropy)
found_three = names(right, (train.images / 255, train.labels))
print(found_three)

# %% [markdown]
# **Four: logits taken for probabilities.** Our head ends in **logits**, numbers of any size.
# `from_logits=True` tells the loss so, and it makes probabilities of them (that is what *softmax*
# does). Leave it out, and the loss takes the logits for probabilities as they are. To see what
# comes of it, we train a head on the features from the beginning of this lesson.


# %%
def train_head(loss, activation=None, after=()):
    """A head on the frozen features after a hundred steps, and its loss at the end."""
    keras.utils.set_random_seed(0)
    dense = keras.layers.Dense(2, activation=activation)
    trained = keras.Sequential([keras.Input((1280,)), dense, *after])
    trained.compile(keras.optimizers.Adam(1e-2), loss)
    told = trained.fit(features, train.labels, batch_size=100, epochs=100, shuffle=False, verbose=0)
    return trained, told.history["loss"][-1]


def share_right(trained):
    return float(np.mean(trained.predict(features, verbose=0).argmax(axis=1) == train.labels))


# %%
forgetful = keras.losses.SparseCategoricalCrossentropy()  # from_logits=False is the default
good, good_loss = train_head(cross_entropy)
bad, bad_loss = train_head(forgetful)
learnt, unlearnt = share_right(good), share_right(bad)
claim("told about logits, it learns its pictures", learnt, f"{learnt:.0%} right", above=0.9)
claim("not told, it learns next to nothing", unlearnt, f"{unlearnt:.0%} right", below=0.75)

# %% [markdown]
# Nothing was raised. A probability lies between 0 and 1, so this loss cuts off whatever lies
# beyond, and what is cut off no longer learns.

# %%
no_logits = classifier()
no_logits.compile(keras.optimizers.Adam(1e-3), forgetful)
found_four = names(no_logits)
print(found_four)

# %% [markdown]
# **Five: two softmax layers.** One in the head, and one more put behind it to be on the safe side.
# The second takes probabilities for logits, and makes them timid.

# %%
timid, timid_loss = train_head(forgetful, "softmax", [keras.layers.Softmax()])
surest = float(timid.predict(features, verbose=0).max())
claim("even the surest answer is not very sure", surest, f"{surest:.0%}", below=0.8)
claim("the loss gets stuck", timid_loss, f"{timid_loss:.2f}; it was {good_loss:.3f}", above=0.3)

# %%
twice = classifier(activation="softmax")
twice.add(keras.layers.Softmax())
twice.compile(keras.optimizers.Adam(1e-3), forgetful)
found_five = names(twice)
print(found_five)

# %% [markdown]
# Two classes, and an answer of 1 and 0: softmax makes 73 % and 27 % of it. No training can get
# beyond that. Many pages warn of *one* softmax in the model with `from_logits=True` in the loss as
# if it were the same. We believed it, too, until we tried.

# %%
import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Keras warns that something looks odd
    odd, _ = train_head(cross_entropy, "softmax")
apart = max(np.abs(a - b).max() for a, b in zip(odd.get_weights(), good.get_weights(), strict=True))
claim("it ends with the weights of the good head", float(apart), f"{apart:.6f} apart", below=0.01)

# %% [markdown]
# On TensorFlow, Keras looks behind the softmax, finds the logits there and takes those. It is odd,
# but it does no harm, and the doctor is silent about it.
#
# **Six: a head that does not match the classes.** Ten answers for two classes train without a
# murmur; eight of them are only in the way. The right number in another order is worse: the settled
# head knows its two classes, but these labels count them the other way round.

# %%
wide = classifier(outputs=10)
wide.compile(keras.optimizers.Adam(1e-3), cross_entropy)
found_six = names(wide)
print(found_six)

# %%
head.set_weights(settled_head)
settled = keras.Model(model.input, model.output)
settled.trainable = False
other_way = 1 - train.labels
wrong = float(np.mean(head(features).numpy().argmax(axis=1) == other_way))
claim("in the other order nearly all is wrong", wrong, f"{wrong:.0%} right", below=0.2)
found_order = names(settled, (train.images, other_way))
print(found_order)

# %% tags=["row-D7"]
claim("nothing unfrozen is named", found_one == ["only the head trains"])
claim("not compiled again is named", found_two == ["trainable changed since compile"])
claim("scaled twice is named", found_three == ["inputs scaled twice"])
claim("logits under the default loss are named", found_four == ["logits taken for probabilities"])
claim("two softmax layers are named", found_five == ["softmax twice"])
claim("the wrong head is named", found_six == ["head does not fit the classes"])
claim("classes in another order are named", "classes do not match" in found_order)
claim("and the right model is left in peace", names(right) == [])

# %% [markdown]
# Try the others. Each entry of the menu builds a model with one mistake, and shows what the doctor
# says.


# %%
def one_rate_for_all():
    model = classifier()
    part.trainable = True
    for layer in part.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False
    model.compile(keras.optimizers.Adam(1e-2), cross_entropy)
    return model


# %%
def all_frozen():
    model = classifier()
    model.trainable = False
    model.compile(keras.optimizers.Adam(1e-3), cross_entropy)
    return model


def batch_norm_live():
    model = classifier()
    part.trainable = True
    return model


# %%
def same_optimizer_again():
    model, optimizer = classifier(), keras.optimizers.Adam(1e-3)
    model.compile(optimizer, cross_entropy, run_eagerly=True)
    model.fit(train.images[:16], train.labels[:16], verbose=0)
    model.compile(optimizer, cross_entropy)
    return model


# %%
mistakes = {
    "everything is unfrozen below a new head, at the head's rate": one_rate_for_all,
    "everything is frozen": all_frozen,
    "everything is unfrozen, batch norm, too": batch_norm_live,
    "one optimizer for two trainings": same_optimizer_again,
}


def doctor(mistake="everything is unfrozen below a new head, at the head's rate"):
    return tlkit.diagnose(mistakes[mistake](), train)


tlkit.course.explore(doctor, mistake=list(mistakes))

# %% [markdown]
# Two findings at once: such mistakes like company. When the doctor says *Nothing found*, that is no
# proof of health. It knows the mistakes of this lesson and no others. But it costs a second, so ask
# it before every long training.

# %% [markdown]
# ## What you measured
#
# - Four steps: take a network, cut it, settle a new head on the frozen part, unfreeze and train at
#   a small rate. Over eight seeds that gained about four points over the frozen network.
# - A random head throws the first filters dozens of times as far under SGD, and hardly farther
#   under Adam. What it costs in accuracy at a good rate was too little to be sure of; at a rate ten
#   times too high no run survived it.
# - Moving everything beat the last block, which beat the head. A small head on an *earlier* layer
#   did as well as moving everything, for a fraction of the time.
# - From pretrained weights ten steps did more than sixty from random ones.
# - The right rate for the whole was a tenth of the head's, or less. Above it lies ruin, below it
#   nothing happens.
# - Batch norm that moves costs all that fine-tuning gains. Freeze it *after* unfreezing.
# - Six mistakes raise no error. `tlkit.diagnose` names them. One that many pages warn of, softmax
#   in the model and `from_logits=True` in the loss, did no harm at all.
#
# Which strategy for which data? That is lesson 04b. A rate for each part of the network? Lesson 05.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
quiz(
    [
        Question(
            "You set `base.trainable = True` after a first `fit`, and call `fit` again. What "
            "happens to the weights of the base?",
            [
                ("they train", "No: `fit` goes on with what was trainable when you compiled."),
                (
                    "they stay still, without a word",
                    "Right: the change counts only after the next `compile`.",
                ),
                ("Keras raises an error", "No: nothing is raised, which is why it is a trap."),
            ],
        ),
        Question(
            "A colleague fine-tunes with Adam from a random head, all layers at once, and gets a "
            "fair accuracy. What does this lesson's table say?",
            [
                ("impossible, the weights are wrecked", "No: at a small rate they were not."),
                (
                    "possible, at a small rate; at a high one no such run survived",
                    "Right: a settled head is the safer start, and costs a second.",
                ),
                (
                    "a random head is as good as a settled one",
                    "No: it was not surely worse on average, but less steady, and fatal at a high "
                    "rate.",
                ),
            ],
        ),
        Question(
            "How do you keep the statistics of batch norm still in every version of Keras 3?",
            [
                ("`base(inputs, training=False)`", "No: Keras 3.3 to 3.15 do not honour it."),
                ("a smaller learning rate", "No: the statistics are not trained by a rate at all."),
                (
                    "`trainable = False` on each batch-norm layer, after unfreezing",
                    "Right: and compile again afterwards.",
                ),
            ],
        ),
        Question(
            "The head trains well at 0.01. At which rate do you first try the whole network?",
            [
                ("0.01", "No: at that rate nothing was left of the network."),
                ("0.0001", "Right: well below a tenth of the head's."),
                ("0.0000001", "No: at that rate nothing has moved when the training ends."),
            ],
        ),
        Question(
            "With a new head for two classes the loss stops at 0.31, though the model names every "
            "picture right. What do you suspect?",
            [
                (
                    "two softmax layers",
                    "Right: no answer can be surer than 73 %, and that costs 0.31.",
                ),
                ("the rate is too low", "No: every answer is right already."),
                ("the pictures are scaled twice", "No: then the answers would be poor."),
            ],
        ),
        Question(
            "Fine-tuning gains 1 point over the frozen network on 300 test pictures, in one run. "
            "What do you report?",
            [
                ("fine-tuning is better", "No: another seed may well say the opposite."),
                (
                    "both numbers with their intervals, and that one run cannot tell",
                    "Right: or you run more seeds and report the paired difference.",
                ),
                ("fine-tuning is useless", "No: one run cannot show that either."),
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
# **1. Count.** How many weights of `base` do *not* train when everything is unfrozen but batch
# norm? (`base.count_params()` counts all; a layer or a model lists those that train in
# `trainable_weights`, and `w.shape` says how large each is.)

# %%
practice = tlkit.load_backbone("efficientnet-lite0", image_size=96)
tlkit.unfreeze(practice)

# %% tags=["exercise"]
# STUB
still_weights = ...
# SOLUTION
training = sum(int(np.prod(w.shape)) for w in practice.trainable_weights)
still_weights = practice.count_params() - training
# END
check(
    still_weights,
    84_032,
    hints=[
        (3_328_992, "Those are the ones that train. How many are left of all?"),
        (42_016, "Batch norm has four numbers for each channel, not two: all of them keep still."),
    ],
    hint="Take what trains from practice.count_params(); np.prod(w.shape) is the size of one.",
    name="Exercise 1",
)

# %% [markdown]
# **2. Start late.** Unfreeze `practice` from `block_10` on. How many of its layers have weights
# that train?

# %% tags=["exercise"]
# STUB
layers_that_train = ...
# SOLUTION
tlkit.unfreeze(practice, from_layer="block_10")
layers_that_train = sum(bool(layer.trainable_weights) for layer in practice.layers)
# END
check(
    layers_that_train,
    19,
    hints=[
        (49, "Those are all of them. Give from_layer=."),
        (3, "That is block_15 on. Give block_10."),
    ],
    hint="tlkit.unfreeze prints the number.",
    name="Exercise 2",
)

# %% [markdown]
# **3. Be the doctor.** This model has one mistake. Mend it (you may compile it again), so that
# `tlkit.diagnose(patient, train)` finds nothing.

# %%
patient = classifier()
patient.compile(keras.optimizers.Adam(1e-3), keras.losses.CategoricalCrossentropy(from_logits=True))
print(names(patient))

# %% tags=["exercise"]
# STUB
healthy = ...
# SOLUTION
patient.compile(keras.optimizers.Adam(1e-3), cross_entropy)
healthy = patient
# END
check(
    healthy,
    lambda answer: names(answer) == [] and answer.optimizer is not None,
    hints=[(lambda answer: names(answer) != [], "Look at tlkit.diagnose(patient, train).")],
    hint="Our labels are whole numbers, 0 and 1. Which loss takes those? Put the model in healthy.",
    name="Exercise 3",
)

# %% [markdown]
# **4. Write it yourself.** A function that unfreezes a network and keeps its batch norm still. It
# returns how many layers it kept still.


# %% tags=["exercise"]
# STUB
def unfreeze_with_care(network):
    """Let all layers train but batch norm; return how many batch-norm layers there are."""
    return ...


# SOLUTION
def unfreeze_with_care(network):
    """Let all layers train but batch norm; return how many batch-norm layers there are."""
    network.trainable = True
    still = [x for x in network.layers if isinstance(x, keras.layers.BatchNormalization)]
    for layer in still:
        layer.trainable = False
    return len(still)


# END


def is_right(function):
    network = tlkit.small_network(32, 2)
    network = keras.Sequential([*network.layers[:2], keras.layers.BatchNormalization()])
    network.build((None, 32, 32, 3))
    network.trainable = False
    returned = function(network)
    flags = [layer.trainable for layer in network.layers]
    return ... if returned is ... else returned == 1 and flags == [True, True, False]


answered = is_right(unfreeze_with_care)
check(
    answered,
    True,
    hint="First network.trainable = True, then a loop over network.layers, as in step 4.",
    name="Exercise 4",
)

# %% [markdown]
# **5. On your own.** Fine-tune from `block_12` on, and from `block_05` on, with `tlkit.fine_tune`.
# Before you look: which should win, after the table of layers above?

# %% [markdown]
# ## Further reading
#
# - The Keras guide *Transfer learning & fine-tuning*, with the recipe of the trap:
#   <https://keras.io/guides/transfer_learning/>
# - Kornblith, Shlens & Le 2019, *Do Better ImageNet Models Transfer Better?*, for fine-tuning
#   against fixed features on many data sets: <https://arxiv.org/abs/1805.08974>
# - Wu & Johnson 2021, *Rethinking "Batch" in BatchNorm*: <https://arxiv.org/abs/2105.07576>
# - CS231n, *Transfer Learning*: <https://cs231n.github.io/transfer-learning/>
#
# ## Curriculum rows
#
# This lesson covered D1 to D7.
