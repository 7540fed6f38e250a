# %% [markdown]
# # 05 · Differential learning rates
#
# A pretrained network knows a lot in its early layers and nothing yet about your classes. So why
# should all of it learn at the same speed? In this lesson each group of layers gets a rate of its
# own, and you measure what that does, and whether it pays.
#
# ## What you will be able to do
#
# - split a network into groups of layers and give each its own learning rate, in plain Keras;
# - prove, by measuring, that every group moves as far as you asked for;
# - say why scaling gradients does not do the same, and what weight decay has to do with it;
# - find a learning rate with a range test;
# - train until a network overfits, then step back;
# - judge from a table, with its uncertainty, whether all that is worth the trouble.
#
# ## How long it takes
#
# An hour of reading and trying. Running everything takes under two minutes on two cores.
#
# ## What you need
#
# Lessons 03 and 04a. Everything is on your computer already.

# %% [markdown]
# ## Four rates, one training
#
# Training goes in **steps**. At each step the network sees a few pictures, here sixteen. For each
# weight the **gradient** says which way to turn it, and how much that would help. The **optimizer**
# then changes the weights; the **learning rate** sets how large its steps are. We train on a
# hundred labelled people, with four rates in one network: small early, large for the head.

# %%
import tlkit
from tlkit.course import Question, check, claim, quiz
from tlkit.scores import score

train = tlkit.load_dataset("sunglasses-or-hat", n=100, image_size=96, seed=0)
test = tlkit.load_dataset("sunglasses-or-hat", n=400, image_size=96, seed=1000)
train.show(12)

# %%
base = tlkit.load_backbone("efficientnet-lite0", image_size=96)
features = tlkit.extract_features(base, train.images)
head = tlkit.fit_linear_head(features, train.labels)
model = tlkit.attach_head(base, head)
warm_start = score(test.labels, model.predict(test.images, verbose=0))
print(f"with a linear head on frozen features: {warm_start}")

# %% [markdown]
# That is lesson 03: the network frozen, a head on top. From this **warm start** we let the whole
# network move. Only batch norm stays still: layers that keep the numbers inside the network in a
# steady range (lesson 04a). They are not among the fifty layers that are counted next.

# %% tags=["nbval-check-output"]
tlkit.unfreeze(model)

# %%
import keras
import numpy as np

fade = keras.optimizers.schedules.PolynomialDecay(1e-3, 48, end_learning_rate=0.0)
starts = ["block_05", "block_11", "logits"]
four_rates = tlkit.differential_optimizer(model, fade, ratio=3, groups=starts)

# %%
rng = np.random.default_rng(0)
order = np.concatenate([rng.permutation(100) for _ in range(8)])[: 48 * 16]
beginning = model.get_weights()
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(four_rates, cross_entropy, metrics=["accuracy"])

# %%
model.fit(train.images[order], train.labels[order], batch_size=16, shuffle=False, verbose=0)
live = score(test.labels, model.predict(test.images, verbose=0))
print(f"after 48 steps at four rates: {live}")

# %% [markdown]
# `PolynomialDecay` is a **schedule**: it lets the rate fade to nothing over the 48 steps, in a
# straight line. What did the other lines do? We take them apart now, and come back to the question
# whether it was the *four* rates that helped.

# %% [markdown]
# ## Groups of layers
#
# One rate for all layers is a compromise. Early layers find edges and colours, which your pictures
# have, too: large steps would spoil them. The head knows nothing yet: small steps would take
# forever. So one rate is **too high for the early layers or too low for the late ones**. That is
# the argument, at least.
#
# The mend has two names. Howard & Ruder (2018) call it **discriminative** fine-tuning; many people
# say **differential learning rates**. Split the layers into groups, from early to late. The last
# group, the head, trains at the full rate, and each earlier group some times slower than the next.
# Howard & Ruder divide by 2.6 from layer to layer; this course uses 3 to 10 from group to group.

# %% tags=["nbval-check-output"]
groups = tlkit.layer_groups(model, starts)
for number, group in enumerate(groups, start=1):
    print(f"group {number}: {len(group):2} layers, from {group[0].name} on")

# %% tags=["row-E1"]
rates = [1e-3 / 27, 1e-3 / 9, 1e-3 / 3, 1e-3]
tlkit.draw_groups(groups, rates)

# %% [markdown]
# Each bar is a layer that trains. The number above a group is the number in the list below it. The
# first group holds nearly a third of the layers, but less than a fiftieth of the parameters: early
# layers are small.

# %% [markdown]
# ## In plain Keras
#
# `keras.optimizers.MultiOptimizer` holds several optimizers and asks a map which of them trains
# which variable (a table of weights in the model). The map's keys are patterns for the variable's
# *path*, its full name; in a pattern `.*` stands for any text at all. The optimizers here are
# **AdamW**, a popular kind. A later section says what it does.

# %% tags=["nbval-check-output"]
for variable in model.trainable_variables[:1] + model.trainable_variables[-2:]:
    print(variable.path)

# %%
slow, fast = keras.optimizers.AdamW(1e-4), keras.optimizers.AdamW(1e-3)
by_path = keras.optimizers.OptimizerMap(default_optimizer=slow)
by_path["head/logits/.*"] = fast
two_rates = keras.optimizers.MultiOptimizer(by_path)

# %% [markdown]
# That is all there is to it: two groups, two optimizers. `tlkit.differential_optimizer` writes the
# patterns for you, gives every group an AdamW, and refuses when a variable is in no group. In plain
# Keras such a variable silently gets the default.

# %% tags=["nbval-check-output"]
try:
    tlkit.differential_optimizer(model, groups=[groups[0], groups[1], groups[3]])
except tlkit.errors.InputError as error:
    print(error)

# %% [markdown]
# ### Does it work? Measure
#
# Trust no optimizer that you did not see move. **SGD**, stochastic gradient descent, is the
# plainest one: a step is the rate times the gradient. So one step of SGD at four rates must move
# each group by a known fraction of what one rate moves it.
#
# We start from a new head with random weights: the fitted one knows its hundred pictures already,
# and hardly a gradient is left. And we take the gradient once, for all that follows.

# %%
keras.utils.set_random_seed(0)
new_head = keras.Sequential([keras.Input((1280,)), keras.layers.Dense(2)])
model.set_weights([*beginning[:-2], *new_head.get_weights()])
fresh = model.get_weights()

# %%
import tensorflow as tf

with tf.GradientTape() as tape:
    logits = model(train.images[:16].astype("float32"))
    loss = cross_entropy(train.labels[:16], logits)
gradients = tape.gradient(loss, model.trainable_variables)


# %%
def movement(optimizer, gradients=gradients):
    """How far each group moves in one step; afterwards the weights are put back."""
    optimizer.apply(gradients, model.trainable_variables)
    after = {v.path: v.numpy() for v in model.trainable_variables}
    model.set_weights(fresh)
    weights = [[w for layer in group for w in layer.trainable_weights] for group in groups]
    return np.array([sum(np.abs(after[w.path] - w.numpy()).sum() for w in g) for g in weights])


# %%
SGD = keras.optimizers.SGD
one_rate = movement(SGD(1e-2))
by_group = movement(tlkit.differential_optimizer(model, 1e-2, 3, starts, SGD))
asked = np.array([1 / 27, 1 / 9, 1 / 3, 1])

# %% tags=["row-E2"]
print("group   moved at one rate   at four rates   fraction   asked for")
for n, (one, four) in enumerate(zip(one_rate, by_group, strict=True), start=1):
    print(f"{n:5} {one:19.4f} {four:15.4f} {four / one:10.4f} {asked[n - 1]:11.4f}")

# %%
error = np.abs(by_group / one_rate / asked - 1).max()
claim(
    "every group moves by the fraction asked for", error, f"off by {error:.2%} at most", below=0.02
)

# %% [markdown]
# ## Why not just scale the gradients?
#
# Under SGD you could: a gradient made three times smaller is a step made three times smaller. Most
# people train with **Adam**, though. Adam divides each gradient by a running average of its own
# size. Scale the gradient, and that average is scaled, too. The two cancel. So here is the same
# gradient once more, scaled by hand in each group.

# %%
factor = {w.path: a for a, group in zip(asked, groups) for each in group for w in each.weights}
scaled = [g * factor[v.path] for g, v in zip(gradients, model.trainable_variables)]


# %%
def effect(make):
    """By how much scaling the gradients changes what a fresh optimizer does with them."""
    return movement(make(), scaled) / movement(make())


by_sgd = effect(lambda: SGD(1e-2))
by_adam = effect(lambda: keras.optimizers.Adam(1e-3))

# %% tags=["row-E3"]
print("group   gradient scaled by   movement under SGD   under Adam")
for n, row in enumerate(zip(asked, by_sgd, by_adam, strict=True), start=1):
    print("{:5} {:20.3f} {:20.3f} {:12.3f}".format(n, *row))

# %%
claim("under SGD scaled gradients scale the steps", np.allclose(by_sgd, asked, rtol=0.02))
claim(
    "under Adam all groups move alike", by_adam.min(), f"by {by_adam.min():.2f} or more", above=0.9
)

# %% [markdown]
# The little that is missing to 1 is **epsilon**, a tiny number that Adam adds to the average so as
# never to divide by nothing. Where gradients are as tiny as that, some of the scaling comes
# through: by accident, and not as much as you asked for.
#
# So do not scale gradients to slow a layer down under Adam or its kin (AdamW, RMSprop). Different
# rates need different optimizers.
#
# ### Weight decay must follow the rate
#
# **Weight decay** pulls every weight a little towards zero at each step, so that only weights that
# the data keep asking for stay large. AdamW shrinks a weight by *rate × decay*. With an AdamW for
# each group the pull is weaker where the rate is smaller. Here is the pull as a share of the step
# that the gradient makes, and next to it the mistake: the same pull for all.


# %%
def pull(optimizer):
    still = [0 * g for g in gradients]
    return movement(optimizer, still)


AdamW, decay = keras.optimizers.AdamW, 0.05
step = movement(tlkit.differential_optimizer(model, 1e-3, 3, starts))


# %%
def with_decay(learning_rate):
    return AdamW(learning_rate, weight_decay=decay)


by_group = pull(tlkit.differential_optimizer(model, 1e-3, 3, starts, with_decay))
for_all = pull(with_decay(1e-3))

# %%
print("pull of weight decay, as a share of the gradient's step")
print("group   decay follows the rate   the same for all")
for n, (one, other) in enumerate(zip(by_group / step, for_all / step, strict=True), start=1):
    print(f"{n:5} {one:24.2%} {other:18.2%}")

# %% [markdown]
# With decay that follows, the pull is small against the step in every group: under one per cent.
# With the same pull for all, the first group is pulled 27 times harder. That is about a fifth of
# what it learns in a step. In a short training you would hardly notice; in a long one its
# pretrained weights slowly shrink, though the data did not ask for it.

# %%
claim(
    "decay that follows the rate keeps its share; one decay for all does not",
    np.allclose(for_all / by_group, 1 / asked, rtol=0.05),
    f"{for_all[0] / by_group[0]:.0f} times harder in the first group",
)

# %% [markdown]
# ## Finding a rate
#
# All of this needs one number from you: the rate of the head. A **range test** (Smith, 2017) looks
# for it: train for a few dozen steps, raise the rate a little at every step, and watch the loss. As
# long as the rate is too small, the loss stays where it is. Then it falls. Then the steps become
# too large, and it rises.
#
# The plain recipe is four lines: a schedule that *grows*, and one step after the other.

# %% tags=["nbval-check-output"]
growth = (1.0 / 1e-6) ** (1 / 49)
rising = keras.optimizers.schedules.ExponentialDecay(1e-6, 1, growth)
for step in (0, 10, 20, 30, 40, 49):
    print(f"step {step:2}: rate {float(rising(step)):.1e}")

# %% [markdown]
# `find_learning_rate` does that on the side, on the same layers: when it is done, every weight is
# put back, and the optimizer of your model has noticed nothing.


# %%
def four(learning_rate):
    return tlkit.differential_optimizer(model, learning_rate, ratio=3, groups=starts)


# %%
found = tlkit.find_learning_rate(model, train, four, steps=50)
now = model.get_weights()
untouched = all(np.array_equal(a, b) for a, b in zip(now, fresh, strict=True))
claim("the range test left the weights as they were", untouched)


# %% tags=["row-E4"]
def try_rate(rate=1e-3):
    return found.draw(rate)


tlkit.course.explore(try_rate, rate=[1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2])

# %% [markdown]
# Move the slider (in a running notebook) from left to right and read the line above the curve. Each
# grey point is one batch; they scatter, so much of it is luck. The line averages them. At its left
# end it has few points to average and jumps about: do not read anything into that. Further right it
# falls; after its lowest point it shoots up, and the test stops. The dashed line is the suggestion:
# **a tenth of the rate where the loss was lowest**. It is a rule of thumb, not a law. The lowest
# point itself is too late: there the loss is about to rise.

# %%
low = found.rates[found.smooth.argmin()]
claim(
    "the loss falls",
    found.smooth.min() / found.smooth[:5].max(),
    f"to {found.smooth.min():.2f}",
    below=0.7,
)
claim("it bursts before the rate is 1", found.rates[-1], f"at {found.rates[-1]:.0e}", below=0.5)
claim("the suggestion lies between", 1e-4 < found.suggestion < low / 5, f"{found.suggestion:.0e}")

# %% [markdown]
# This is the head's rate, with three slower groups before it. We started from the new head with
# random weights. The fitted one knows its pictures already, so there would be little loss left to
# lower and no fall to see, only the rise at the end. A range test wants something to learn.

# %% [markdown]
# ## Train until it overfits, then step back
#
# How long to train? Long enough to see that it was too long. Hold some labelled pictures back,
# watch the loss on them, and when it has risen for a while, return to the epoch where it was
# lowest. We take the icons, with their five groups: a hundred to train on, sixty held back for
# **validation**, which chooses the epoch, and four hundred for the test, which chooses nothing.

# %%
icons = tlkit.load_dataset("icons", n=560, image_size=96, seed=0)
labelled, icon_test = icons.split(train=160, seed=0)
learn, held_back = labelled.split(train=100, seed=0)

# %%
icon_base = tlkit.load_backbone("efficientnet-lite0", image_size=96)
icon_features = tlkit.extract_features(icon_base, learn.images)
icon_head = tlkit.fit_linear_head(icon_features, learn.labels)
icon_model = tlkit.attach_head(icon_base, icon_head)

# %%
tlkit.unfreeze(icon_model)
keras.utils.set_random_seed(0)
icon_model.compile(keras.optimizers.AdamW(3e-4), cross_entropy, metrics=["accuracy"])

# %% [markdown]
# Keras steps back by itself: `EarlyStopping` stops when the loss has not improved for five epochs,
# and with `restore_best_weights` it puts the best epoch's weights back. To compare, we also keep
# the weights of the last epoch.

# %%
last = {}
stop = keras.callbacks.EarlyStopping("val_loss", patience=5, restore_best_weights=True)
keep_last = keras.callbacks.LambdaCallback(
    on_epoch_end=lambda epoch, logs: last.update(weights=icon_model.get_weights())
)

# %%
history = icon_model.fit(
    *(learn.images, learn.labels),
    validation_data=(held_back.images, held_back.labels),
    callbacks=[stop, keep_last],
    epochs=12,
    batch_size=16,
    verbose=0,
).history

# %% tags=["row-E5"]
epochs = np.arange(1, len(history["loss"]) + 1)
best_epoch = int(np.argmin(history["val_loss"])) + 1
tlkit.plots.curve(
    epochs,
    [history["loss"], history["val_loss"]],
    ["training", "validation"],
    x_label="epoch",
    y_label="loss",
    title=f"lowest validation loss after epoch {best_epoch}",
)

# %% [markdown]
# The training loss falls to nothing: the network knows its hundred pictures by heart. The
# validation loss falls as well, in jumps, and ends a little above its lowest point. Do not expect
# a deep valley. Now the test pictures: with the last epoch's weights and with those that were put
# back.


# %%
def on_test():
    logits = icon_model.predict(icon_test.images, verbose=0)
    return float(cross_entropy(icon_test.labels, logits)), score(icon_test.labels, logits)


# %%
loss_back, stepped_back = on_test()
icon_model.set_weights(last["weights"])
loss_last, overfitted = on_test()
print(f"last epoch,   {len(epochs):2}: loss {loss_last:.2f}, accuracy {overfitted}")
print(f"stepped back, {best_epoch:2}: loss {loss_back:.2f}, accuracy {stepped_back}")

# %%
claim("the network knew its own pictures by heart", history["accuracy"][-1], above=0.97)

# %% [markdown]
# That is less than the textbook promises, and worth a thought. The **loss** also counts how sure
# the network is, so it can fall while the number of mistakes doesn't. And what of the two lines
# above? We claim nothing about them, neither about the losses nor about the accuracies. This is one
# run, and single runs of this kind are fragile: with nothing changed but how a processor rounds,
# the accuracies came out more than ten points apart, and sometimes stepping back gained next to
# nothing. It's still a good habit: the validation pictures choose, and not you. Just don't count on
# fewer mistakes.

# %% [markdown]
# ## Does it pay?
#
# One training proves nothing: with other pictures it might have gone the other way. So here is a
# stored table of five **seeds**: five repeats, each with a hundred training pictures of its own.
# The four hundred test pictures are the same in all, and nothing else sees them. (`make
# experiments` computes the table again.) Every run begins at the warm start and takes 48 steps;
# within one repeat all ways see the same batches. All rates fade to nothing, as above. Only the
# rates differ:
#
# - **head only**: the network stays frozen, the head goes on training;
# - **one small**, **middle** or **large rate** for all: 0.0001, 0.0003 or 0.001;
# - **two rates**: 0.001 for the head, 0.0001 for the rest;
# - **four rates, ratio 3**: as above, 0.001 for the head;
# - **gradual unfreezing**: 0.001 for all, but the third group starts to move only after a quarter
#   of the steps, the second after half, the first after three quarters. (By then the rate has faded
#   to a quarter of 0.001.)

# %%
table = tlkit.results("learning_rates", by=["data", "strategy"])
strategies = table.values("strategy")


# %% tags=["nbval-check-output"]
people, things = "sunglasses-or-hat", "icons"
print("strategy               people: test, training     icons: test, training")
for name in strategies:
    shown = [
        table.runs(data, name, column=what).mean()
        for data in (people, things)
        for what in ("test", "train")
    ]
    print("{:22} {:12.1%} {:9.0%} {:16.1%} {:9.0%}".format(name, *shown))


# %%
def gains(data):
    """What each strategy gains over the warm start, in points, with the paired interval."""
    ways = strategies[1:]
    found = [table.difference((data, way), (data, strategies[0])) for way in ways]
    return tlkit.plots.bars_with_intervals(
        ways,
        np.round([100 * each.mean for each in found], 1) + 0.0,
        [(100 * each.low, 100 * each.high) for each in found],
        value_label="gain over the warm start in points, with 95 % interval",
        title=f"{data}, 100 labels, five seeds",
    )


# %% tags=["row-E6"]
gains(people)

# %% [markdown]
# On the people it mostly pays to let the network move. The head alone gains nothing: it was fitted
# already. All other bars point to the right. But look at the thin lines. Four of the six stay right
# of zero. That of two rates just touches it, so this gain is not quite sure. That of the large rate
# is so long because one of its five runs went badly. And the lines overlap: do not rank the bars.

# %%
moving = table.difference((people, "four rates, ratio 3"), (people, "warm start"))
claim("on the people four rates beat the frozen network", moving.low > 0.01, str(moving))
against = table.difference((people, "four rates, ratio 3"), (people, "one middle rate"))
claim("but not one well-chosen rate for all", against.low < 0 and against.mean < 0.02, str(against))

# %%
gains(things)

# %% [markdown]
# On the icons no gain is sure: every interval reaches zero or lies below it. Perhaps a hundred
# labels for five groups of icons are too few for moving to help. And the large rate does harm.

# %%
others = [name for name in strategies[1:] if name != "one large rate"]
lows = [table.difference((things, name), (things, "warm start")).low for name in others]
claim("on the icons no strategy is sure to gain anything", max(lows) < 0, f"{100 * max(lows):+.1f}")
harm = table.difference((things, "one large rate"), (things, "warm start"))
claim("and one large rate does harm", harm.high < 0, str(harm))

# %% [markdown]
# Here is what four rates are good for. Their head trains at the same 0.001 that ruins the icons
# when all layers get it. With slower early layers it does not.

# %%
safe = table.difference((things, "four rates, ratio 3"), (things, "one large rate"))
claim("with the same rate for the head, slower early layers prevent it", safe.low > 0, str(safe))

# %% [markdown]
# Which of the careful ways is best? Five runs cannot say. Here their order on the people is even
# the reverse of that on the icons, as luck would have it.

# %%
careful = ["two rates", "four rates, ratio 3", "gradual unfreezing"]
on_people, on_things = ([table.runs(d, way).mean() for way in careful] for d in (people, things))
claim(
    "their order on the people is turned round on the icons",
    np.array_equal(np.argsort(on_people), np.argsort(on_things)[::-1]),
)

# %% [markdown]
# So what pays, **at this size**, with a hundred labels and 48 steps?
#
# - The one clear mistake was 0.001 for *all* layers: it did harm on the icons, and spoilt one of
#   five runs on the people. (Which of the layers it harmed, this table cannot say.)
# - Four rates, two rates and gradual unfreezing all avoided it, with the same 0.001 for the head.
#   Five runs are too few to say which of them is best.
# - *One* rate of a third or a tenth of that avoided it, too, and is the simplest. We saw no sign of
#   the textbook's "too high for the early layers or too low for the late ones": on both sets of
#   pictures the middle rate did no worse than four rates, on average.
#
# Different rates were an insurance here, then, not an engine: you can take a bold rate for the head
# with less risk for the rest. With longer training and more labels this may change; measure it.
#
# The training at the top of this page was one entry of the table: four rates, first seed.

# %%
stored = table.runs(people, "four rates, ratio 3")[0]
claim(
    "the live run agrees with the stored table",
    abs(live.accuracy - stored),
    f"live {live.accuracy:.1%}, stored {stored:.1%}",
    below=0.02,
)

# %% [markdown]
# ## What you measured
#
# - Every group moved by the fraction of a step that you asked for, with one optimizer per group.
# - Scaled gradients do the same under SGD, and nothing under Adam.
# - Weight decay that does not follow the rate pulls the slowest group 27 times harder.
# - A range test finds where the loss falls and where it bursts, and leaves the network as it was.
# - Stepping back to the epoch with the lowest validation loss lowered the loss on new pictures.
#   What it does to the number of mistakes, a single run can't say.
# - On the people four rates gained about four points over the frozen network; on the icons nothing
#   sure. Four rates could not be told apart from one well-chosen rate, and on the icons they were
#   far better than one that was too large.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
quiz(
    [
        Question(
            "The head trains at 0.001 and each earlier of four groups ten times slower. What is "
            "the rate of the first group?",
            [
                ("0.0001", "No: that is the third group, one step before the head."),
                ("0.000001", "Right: the first is three steps before the head, 10 × 10 × 10."),
                ("0.00025", "No: a ratio multiplies; it does not share the rate out."),
            ],
        ),
        Question(
            "You train with Adam and multiply the gradients of the early layers by 0.1, so that "
            "they move less. What happens?",
            [
                ("they move ten times less", "No: that would be so under plain SGD."),
                ("they do not move at all", "No: no gradient was set to nothing."),
                (
                    "they move as before",
                    "Right: Adam divides each gradient by its own usual size, and the factor "
                    "cancels.",
                ),
            ],
        ),
        Question(
            "A group trains a hundred times slower, but weight decay pulls all weights alike. What "
            "becomes of the group?",
            [
                (
                    "its weights shrink, and its gradients are too slow to hold them",
                    "Right: the pull is a hundred times stronger for what the group learns.",
                ),
                ("nothing, decay is small", "No: small against a normal step, not against this."),
                ("it learns faster", "No: decay pulls towards zero, wherever the loss lies."),
            ],
        ),
        Question(
            "In a range test the loss is lowest at a rate of 0.01. Which rate do you try first?",
            [
                ("0.01", "No: there the loss is about to rise. One unlucky batch, and it does."),
                ("0.001", "Right: a tenth of it, where the loss falls and nothing bursts."),
                ("0.1", "No: that is where the loss has risen already."),
            ],
        ),
        Question(
            "Validation loss was lowest after epoch 4; you trained for 12 and kept the weights of "
            "epoch 4. Which accuracy may you report?",
            [
                (
                    "that of epoch 4 on a test set that chose nothing",
                    "Right: the validation pictures chose the epoch, so they are no judge of it.",
                ),
                ("the best validation accuracy of the 12", "No: the luckiest of 12 flatters."),
                ("that of epoch 12 in training", "No: by then it knows its pictures by heart."),
            ],
        ),
        Question(
            "You unfreeze more layers and compile again with the `MultiOptimizer` of before, in "
            "plain Keras. Which rate do the new layers get?",
            [
                ("none, Keras raises an error", "No: `tlkit` does that, plain Keras does not."),
                (
                    "that of the map's default optimizer",
                    "Right: whatever fits no pattern falls to the default, without a word.",
                ),
                ("that of their neighbours", "No: Keras only compares paths with patterns."),
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
# **1. Predict, then count.** Five groups, the head at 0.01, ratio 10. At which rate does the first
# group train?

# %% tags=["exercise"]
# STUB
first_rate = ...
# SOLUTION
first_rate = 0.01 / 10**4
# END
check(
    first_rate,
    1e-6,
    hints=[
        (1e-7, "From the fifth group to the first there are four steps, not five."),
        (0.002, "Each group is ten times slower than the next, so divide again and again."),
    ],
    hint="How many steps are there from the last group to the first?",
    name="Exercise 1",
)

# %% [markdown]
# **2. Change one value.** Make an optimizer for `model` with *three* groups and a head at 0.01,
# each earlier group ten times slower. Put its three rates, from early to late, into `three`. (An
# optimizer tells its rate as `float(each.learning_rate)`.)

# %% tags=["exercise"]
# STUB
three = ...
# SOLUTION
mine = tlkit.differential_optimizer(model, 0.01, ratio=10, groups=3)
three = [float(each.learning_rate) for each in mine.optimizers[:3]]
# END
check(
    three,
    [1e-4, 1e-3, 1e-2],
    hints=[
        ([1e-2, 1e-3, 1e-4], "From early to late: the head comes last."),
        (
            lambda answer: len(answer) == 4,
            "The fourth one is for variables of no group; leave it out.",
        ),
    ],
    hint="Call tlkit.differential_optimizer with groups=3 and ratio=10; see its .optimizers.",
    name="Exercise 2",
)

# %% [markdown]
# **3. Write a pattern.** Keras compares the *whole* path of a variable with each pattern. Write one
# that fits all variables of `block_15`, and no others.

# %% tags=["exercise"]
# STUB
pattern = ...
# SOLUTION
pattern = "block_15_.*"
# END
import re

paths = [variable.path for variable in model.trainable_variables]
wanted = [path for path in paths if path.startswith("block_15")]
check(
    pattern,
    lambda answer: [path for path in paths if re.fullmatch(answer, path)] == wanted,
    hints=[
        ("block_15", "That would be the whole path. Something has to stand for the rest of it."),
        ("block_15*", "In a pattern * repeats what stands before it; any text is .* here."),
        (".*", "That fits all of them."),
    ],
    hint="Look at print(wanted). Any text at all is written .* in a pattern.",
    name="Exercise 3",
)

# %% [markdown]
# **4. Write it yourself.** A function that takes a range test's rates and losses and gives a tenth
# of the rate at which the loss was lowest. Losses that are not a number (`nan`) do not count.


# %% tags=["exercise"]
# STUB
def suggest(rates, losses):
    """A tenth of the rate with the lowest loss."""
    return ...


# SOLUTION
def suggest(rates, losses):
    """A tenth of the rate with the lowest loss."""
    return rates[np.nanargmin(losses)] / 10


# END


nan, some_rates = float("nan"), np.array([0.001, 0.01, 0.1, 1.0])
check(
    suggest,
    cases=[
        ((some_rates, np.array([0.9, 0.5, 0.2, 4.0])), 0.01),
        ((some_rates, np.array([0.9, 0.3, nan, nan])), 0.001),
    ],
    hint="np.nanargmin finds the place of the lowest number and steps over nan.",
    name="Exercise 4",
)

# %% [markdown]
# **5. On your own.** Train `model` again from `beginning`, at four rates with a ratio of 10 instead
# of 3, and at one rate of 0.01. Before you look: which of them can be told apart with 400 test
# pictures?

# %% [markdown]
# ## Further reading
#
# - Howard & Ruder 2018, *Universal Language Model Fine-tuning for Text Classification*, for
#   discriminative rates and gradual unfreezing: <https://arxiv.org/abs/1801.06146>
# - Smith 2017, *Cyclical Learning Rates for Training Neural Networks*, section 3.3, for the range
#   test: <https://arxiv.org/abs/1506.01186>
# - Yosinski et al. 2014, *How transferable are features in deep neural networks?*:
#   <https://arxiv.org/abs/1411.1792>
# - CS231n, *Transfer Learning*: <https://cs231n.github.io/transfer-learning/>
#
# ## Curriculum rows
#
# This lesson covered E1 to E6.
