# %% [markdown]
# # 03 · Feature extraction
#
# The cheapest way to make a pretrained network yours is not to train it at all. **Run your pictures
# through it once, keep the numbers that come out, and train something tiny on those.** That's the
# whole lesson in one sentence; the rest is finding out how far it carries you.
#
# ## What you will be able to do
#
# - turn two hundred labelled pictures into a classifier in a few seconds;
# - say which part of a network you keep, which part you throw away, and why;
# - find out how many labels you need and which layer to read, by measuring;
# - catch a classifier that is right for the wrong reason.
#
# ## How long it takes
#
# About 45 minutes, exercises included. The computer needs less than two of them.
#
# ## What you need
#
# [Lesson 01](01_motivation.ipynb). Everything is on your computer already.

# %% [markdown]
# ## A classifier in three lines
#
# Here are people who wear either sunglasses or a hat. Some of those with a hat wear ordinary
# glasses as well, so it isn't quite as easy as it looks. Two hundred of them have labels that we
# may learn from. Four hundred others are kept for the test.

# %%
import numpy as np

import tlkit
from tlkit.course import check, claim, quiz, reveal
from tlkit.scores import score

# %%
data = tlkit.load_dataset("sunglasses-or-hat", n=600, image_size=160, seed=0)
train, test = data.split(train=200, seed=0)
train.show(12)

# %% tags=["nbval-check-output"]
print(train.describe())

# %% [markdown]
# **Predict.** We'll learn from 200 people and then look at 400 new ones. What share of them will
# the classifier get right, in percent? Write down a guess before you go on; there's no penalty.

# %% tags=["exercise"]
# STUB
my_guess = ...
# SOLUTION
my_guess = 80
# END

# %% [markdown]
# Now the three lines. The first loads a network that somebody else trained on ImageNet. The second
# runs our pictures through it. The third fits a linear classifier to what came out.

# %%
base = tlkit.load_backbone("efficientnet-lite0", image_size=160)
features = tlkit.extract_features(base, train.images)
head = tlkit.fit_linear_head(features, train.labels)

# %%
test_features = tlkit.extract_features(base, test.images)
result = score(test.labels, head(test_features))
print(result)
reveal(my_guess, result.accuracy)

# %%
claim("two hundred labels make a useful classifier", result.low, above=0.85)

# %% [markdown]
# Most of those seconds went into loading the network. Nobody trained it: not one of its three
# million numbers has moved. Let's take the three lines apart.

# %% [markdown]
# ## Keep the eyes, replace the mouth
#
# An image classifier is two machines in a row. The first, the **featuriser** or **backbone**, turns
# a picture into numbers that describe it. The second, the **head**, turns those numbers into an
# answer. Here is the whole network with its old head. Each line says how large the result of a
# layer is: height, width, and the number of **maps**. A map says where in the picture one
# particular thing was found.

# %% tags=["row-C1", "nbval-check-output"]
whole = tlkit.load_backbone("efficientnet-lite0", image_size=160, classifier=True)
for name in ["pictures", "stem", "block_05", "block_12", "features", "pool", "logits"]:
    shape = whole.get_layer(name).output.shape[1:]
    print(f"{name:9} {shape}")

# %% [markdown]
# Everything up to `features` is the backbone, and we keep it. `pool` averages each of its 1280 maps
# over the picture. `logits` is the old head: one number for each of ImageNet's 1000 classes. It has
# to go, because it answers somebody else's question. This is what it has to say about our people:

# %%
old_answers = tlkit.extract_features(whole, test.images)
best_guesses = [guess[0][0] for guess in tlkit.decode_predictions(old_answers, top=1)]
for name in sorted(set(best_guesses), key=best_guesses.count, reverse=True)[:5]:
    print(f"{best_guesses.count(name):4} times: {name}")

# %% [markdown]
# Would it be fair to keep the old head? Sometimes: when your classes are among the old ones and
# look as they did there. ImageNet knows sunglasses and half a dozen kinds of hats, so let's allow
# the old head to choose between those only. The folded cell does just that. It shows that on the
# very same features a new head is far better than the old one.

# %% tags=["evidence"]
from tlkit.paths import card_text

imagenet = card_text("imagenet_classes.txt").splitlines()
glasses = [imagenet.index(name) for name in ("sunglass", "sunglasses")]
headwear = ("cowboy hat", "sombrero", "bonnet", "bearskin", "bathing cap", "shower cap")
hats = [imagenet.index(name) for name in headwear]
says_hat = old_answers[:, hats].max(axis=1) > old_answers[:, glasses].max(axis=1)
kept_head = score(test.labels, says_hat.astype(int))
shown = f"{kept_head.accuracy:.0%} against {result.accuracy:.0%}"
claim("the old head does much worse", result.low - kept_head.high, shown, above=0.05)

# %% [markdown]
# ### What averaging costs
#
# Averaging over the picture forgets *where* something was. Usually that's what you want: a hat is
# a hat, wherever it is. But suppose you want to know whether the accessory is in the left or in the
# right half. We drew these people, so we know the answer.

# %%
people, _, masks = tlkit.data.compose_people(400, image_size=160, seed=0, masks=True)
centres = [np.nonzero(mask)[1].mean() for mask in masks]
in_right_half = (np.array(centres) > 80).astype(int)


# %%
def knows_place(numbers):
    head = tlkit.fit_linear_head(numbers[:200], in_right_half[:200])
    return score(in_right_half[200:], head(numbers[200:]))


maps = tlkit.extract_features(base, people, pooled=False)
averaged = knows_place(maps.mean(axis=(1, 2)))
with_places = knows_place(maps.reshape(400, -1))
print(f"averaged: {averaged.accuracy:.0%}, with places: {with_places.accuracy:.0%}")

# %% tags=["evidence"]
claim("averaged features hardly know where things are", averaged.accuracy, below=0.7)
claim("the maps do", with_places.low, above=0.8)

# %% [markdown]
# So average when you ask *what*, and keep the maps when you ask *where*.
#
# **Predict.** Your own task has ten classes, and you read `block_12` instead of the last features.
# How many parameters does the linear head have? The list of shapes above has all you need.

# %% tags=["exercise"]
# STUB
parameters = ...
# SOLUTION
parameters = (192 + 1) * 10
# END
check("03.1", parameters)

# %% [markdown]
# ## Once is enough
#
# A **frozen** network doesn't change, so it gives the same answer to the same picture every time.
# There's no point in asking twice. Yet the recipe that you'll find in most tutorials does: it puts
# the frozen backbone inside the model and calls `fit`, and then every picture goes through the
# whole network in every **epoch**, that is, in every round of training. Here is that recipe, in
# plain Keras.

# %%
import time

import keras

# %%
base.trainable = False
pictures = keras.Input((160, 160, 3))
pooled = keras.layers.GlobalAveragePooling2D()(base(pictures))
recipe = keras.Model(pictures, keras.layers.Dense(2, kernel_initializer="zeros")(pooled))

# %% [markdown]
# And here is the same head by itself, for features that have been computed already. (Both begin
# with zeros, so that nothing but the way differs.)

# %%
numbers = keras.Input((1280,))
alone = keras.Model(numbers, keras.layers.Dense(2, kernel_initializer="zeros")(numbers))


# %%
def train_head(model, inputs):
    keras.utils.set_random_seed(0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss)
    model.fit(inputs, train.labels, epochs=5, verbose=0)


# %% tags=["row-C2"]
start = time.process_time()
train_head(recipe, train.images)
middle = time.process_time()
train_head(alone, tlkit.extract_features(base, train.images, cache=False))
end = time.process_time()
print(f"the recipe: {middle - start:.1f} s of work, 1000 pictures through the network")
print(f"features:   {end - middle:.1f} s of work,  200 pictures through the network")

# %% [markdown]
# Same head, same training, a fraction of the work. And the more epochs you want, the more you save.
# (We count the processor's seconds, so that other programs don't disturb the race.) Do we pay for
# it with accuracy? The folded cell asks both on the test pictures: they agree.

# %% tags=["evidence"]
by_recipe = score(test.labels, recipe.predict(test.images, verbose=0)).accuracy
by_features = score(test.labels, alone.predict(test_features, verbose=0)).accuracy
shown = f"{by_recipe:.1%} and {by_features:.1%}"
claim("it costs no accuracy", abs(by_recipe - by_features), shown, below=0.02)

# %% [markdown]
# There's one more gift. `extract_features` keeps what it computed on your disk, under a name made
# from the pictures and the weights. Run this page again, and the features are simply read.
#
# ### The same, without our helpers
#
# On Monday you may want to do this with nothing but Keras. These lines are all you need. (Here
# `weights=None` keeps the cell offline, and the features are worthless. With `weights="imagenet"`
# Keras fetches the real ones once.)

# %% tags=["nbval-check-output"]
from keras.applications import mobilenet_v2

backbone = mobilenet_v2.MobileNetV2(
    include_top=False, pooling="avg", weights=None, input_shape=(160, 160, 3)
)
prepared = mobilenet_v2.preprocess_input(train.images.astype("float32"))
print(backbone.predict(prepared, verbose=0).shape)

# %% [markdown]
# `include_top=False` leaves the old head out, `pooling="avg"` averages the maps, and
# `preprocess_input` scales the pixels as this network wants them. Your own folder, with a
# sub-folder for each class, becomes pictures and labels by
# `keras.utils.image_dataset_from_directory("folder", image_size=(160, 160))`.
#
# ### Any classifier can be the head
#
# Once you hold features in your hand, you aren't tied to neural networks. Let's compare four
# classifiers by **cross-validation**: fit on four fifths of the 200 training pictures, judge on the
# fifth that was left out, five times over. The test pictures stay out of it, because choosing a
# head is part of the training.

# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

heads = {
    "linear": LogisticRegression(max_iter=1000),
    "small neural network": MLPClassifier((64,), max_iter=300, random_state=0),
    "five most similar pictures": KNeighborsClassifier(5),
    "random forest": RandomForestClassifier(random_state=0),
}

# %% tags=["row-C3"]
scores = []
for classifier in heads.values():
    answers = cross_val_predict(classifier, features, train.labels, cv=5)
    scores.append(score(train.labels, answers))
tlkit.plots.bars_with_intervals(
    list(heads),
    [each.accuracy for each in scores],
    [(each.low, each.high) for each in scores],
    value_label="cross-validated accuracy, with 95 % interval",
    percent=True,
)

# %% tags=["evidence"]
behind = max(each.accuracy for each in scores) - scores[0].accuracy
claim("no head is clearly better than the linear one", behind, f"{behind:.1%}", below=0.04)

# %% [markdown]
# The network has done the hard part; a plain weighted sum can do the rest. Start with the linear
# head. It has hardly any knobs, and there's nothing to wait for.
#
# **Write.** How many times more pictures go through the network in the usual recipe than with kept
# features? If you want altered copies of each picture (mirrored, turned a little), the recipe makes
# new ones in every epoch, and we'd keep a fixed number of versions of each picture.


# %% tags=["exercise"]
# STUB
def times_more(pictures, epochs, versions=1):
    """versions: how many of each picture are kept, the picture itself included."""
    return ...


# SOLUTION
def times_more(pictures, epochs, versions=1):
    """versions: how many of each picture are kept, the picture itself included."""
    return (pictures * epochs) / (pictures * versions)


# END


check("03.2", times_more)

# %% [markdown]
# ## How many labels do you need?
#
# That's the question that decides whether a project is possible at all. We put it to five ways of
# getting a classifier. In two of them the network is frozen, and only a linear head is trained; in
# the other three everything is.
#
# - *frozen, pretrained* is what you've just done.
# - *frozen, random* is the same network with random weights. It's a **control**: everything is the
#   same but the pretraining.
# - *pretrained, everything moves* starts from the same weights and lets all of them train.
# - *large network from scratch* trains the same network from random weights.
# - *small network from scratch* is what you might build yourself: four convolutions.
#
# **Predict.** With 60 labels, what does the small network from scratch reach on new pictures, in
# percent? Guessing would give 50.

# %% tags=["exercise"]
# STUB
my_guess = ...
# SOLUTION
my_guess = 75
# END

# %% [markdown]
# Training all that takes an hour, so we've done it for you and stored the table. (`make experiments
# NAME=labels_needed` computes it again.) It holds five repeats with different pictures, called
# **seeds**. For each arm the settings were chosen with other pictures, with the same effort.

# %%
table = tlkit.results("labels_needed", by=["arm", "labels"])
arms, counts = table.values("arm"), table.values("labels")
means = [[table.runs(arm, n).mean() for n in counts] for arm in arms]
reveal(my_guess, table.runs("small network from scratch", 60).mean())

# %% tags=["row-C4"]
tlkit.plots.curve(
    counts,
    means,
    arms,
    x_label="labelled pictures (96 pixels)",
    y_label="accuracy on 500 new ones",
    log_x=True,
    percent=True,
)

# %% tags=["evidence"]
for other in ("frozen, random", "large network from scratch", "small network from scratch"):
    gain = table.difference(("frozen, pretrained", 60), (other, 60))
    claim(f"at 60 labels frozen pretrained features beat: {other}", gain.low > 0.05, str(gain))

# %% [markdown]
# The distance between *frozen, pretrained* and *frozen, random* is what the pretraining is worth:
# it is the only thing that differs. A network from scratch needs ten times as many labels, or more,
# to get to where you were with twenty or sixty.

# %% [markdown]
# ### Is it the freezing that guards against overfitting?
#
# **Overfitting** means to know the training pictures by heart and little else. A frozen network
# with a linear head has few numbers that can move, and so, it is said, it can't overfit. Let's see
# what each arm knows about its own 60 pictures, and about new ones:

# %% tags=["row-C9", "nbval-check-output"]
for arm in arms:
    own = table.runs(arm, 60, column="train").mean()
    moving = table.runs(arm, 60, column="trained_parameters")[0]
    new = table.runs(arm, 60).mean()
    print(f"{arm:29} {moving:9,} numbers move: {own:4.0%} of its own, {new:3.0%} of new ones")

# %% [markdown]
# OVERFIT TEXT
#
# ### Watching it happen
#
# Here is the **loss** on pictures that weren't learnt from, step by step, with 60 labels. Low is
# good; a line that climbs again belongs to a network that gets surer of wrong answers.

# %% tags=["evidence"]
curves = tlkit.results("training_curves", by=["arm", "steps"])
steps = curves.values("steps")
names = curves.values("arm")
tlkit.plots.curve(
    steps,
    [[curves.runs(name, n, column="test_loss").mean() for n in steps] for name in names],
    names,
    x_label="steps of training",
    y_label="loss on 300 new pictures",
)

# %% [markdown]
# CURVE TEXT
#
# **Change.** How many percentage points does the small network from scratch gain between 60 and 600
# labels? `table.runs("small network from scratch", 60)` gives you its five accuracies.

# %% tags=["exercise"]
# STUB
gained_points = ...
# SOLUTION
before = table.runs("small network from scratch", 60).mean()
after = table.runs("small network from scratch", 600).mean()
gained_points = 100 * (after - before)
# END
check("03.3", gained_points)

# %% [markdown]
# ## Which layer should you read?
#
# The last features speak of whole objects, as ImageNet knows them. If your pictures look nothing
# like ImageNet's, an earlier layer may describe them better. The rule of thumb says: few labels and
# a *similar* task, read the last features; few labels and a *different* task, read earlier ones.
# Handwritten digits are about as different as it gets.

# %%
digits = tlkit.load_dataset("digits", n=500, image_size=128, seed=0)
backbone = tlkit.load_backbone("efficientnet-lite0", image_size=128)
layers = ["stem", "block_05", "block_12", "features"]
by_layer = {name: tlkit.extract_features(backbone, digits.images, layer=name) for name in layers}


# %%
def five_splits(numbers, labels, learn=100):
    accuracies = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(labels))
        first, rest = order[:learn], order[learn:]
        head = tlkit.fit_linear_head(numbers[first], labels[first])
        accuracies.append(score(labels[rest], head(numbers[rest])).accuracy)
    return accuracies


# %% tags=["row-C5"]
far = {name: five_splits(numbers, digits.labels) for name, numbers in by_layer.items()}
tlkit.plots.bars_with_intervals(
    [f"{name} ({by_layer[name].shape[1]} numbers)" for name in layers],
    [np.mean(each) for each in far.values()],
    [(min(each), max(each)) for each in far.values()],
    value_label="accuracy on digits from 100 labels; lines: worst and best of five splits",
    percent=True,
)

# %% tags=["evidence"]
from tlkit.scores import paired_difference

gain = paired_difference(far["block_12"], far["features"])
claim("on digits block_12 beats the last features", gain.low, str(gain), above=0.01)
gain = paired_difference(far["block_12"], far["stem"])
claim("and the stem is far worse", gain.low, str(gain), above=0.3)

# %% [markdown]
# The rule holds here, but not all the way back: the stem knows only edges and colours, and has just
# 32 numbers to say it with. What about our people, who look more like ImageNet's photographs?
#
# **Change.** Fit a linear head on `block_12` to the 200 training people, and put its accuracy on
# the 400 test people into `accuracy`. Is it better than the last features were?

# %% tags=["exercise"]
# STUB
accuracy = ...
# SOLUTION
middle_features = tlkit.extract_features(base, train.images, layer="block_12")
middle_head = tlkit.fit_linear_head(middle_features, train.labels)
middle_test = tlkit.extract_features(base, test.images, layer="block_12")
accuracy = score(test.labels, middle_head(middle_test)).accuracy
# END
check("03.4", accuracy)

# %% [markdown]
# So let your own training labels choose: cross-validate a head on each of a few layers.
# [Lesson 02](02_representation_learning.ipynb) follows the question through all sixteen blocks.

# %% [markdown]
# ## What does it look at?
#
# **Grad-CAM** asks where in the picture the evidence for an answer was. Each of the last maps says
# where one thing was found. So we ask how much the answer would grow with each map, add the maps up
# with those weights, and keep what speaks *for* the answer. That's seven lines:

# %%
import tensorflow as tf


def grad_cam(base, head, image, answer):
    with tf.GradientTape() as tape:
        maps = base(image[None].astype("float32"))
        tape.watch(maps)
        logits = head(tf.reduce_mean(maps, axis=(1, 2)))
        evidence = logits[0, answer]
    weights = tf.reduce_mean(tape.gradient(evidence, maps), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1))[0]
    return heat / tf.reduce_max(heat)


# %%
heat = grad_cam(base, head, test.images[0], test.labels[0])
print(np.round(heat, 1))

# %% [markdown]
# Five by five cells, because that's how large the last maps are. `tlkit.explain.grad_cam` does the
# same and stretches the result to the size of the picture. It wants one model from picture to
# answer, so we join our two parts.

# %% tags=["row-C6"]
model = tlkit.attach_head(base, head)
chosen = list(range(6))
answers = head(test_features).numpy().argmax(axis=1)
tlkit.plots.image_grid(
    test.images[chosen],
    [test.class_names[answers[i]] for i in chosen],
    heats=[tlkit.explain.grad_cam(model, test.images[i]) for i in chosen],
    caption="What it said, and where it found the evidence.",
)

# %% [markdown]
# ### Right for the wrong reason
#
# Imagine that all the hats were photographed in one shop, and the shop puts a chequered tag into
# the corner of its pictures. We'll build that accident on purpose, and train on it.

# %%
rows, columns = np.mgrid[:40, :40]
tag = np.where((rows // 5 + columns // 5) % 2, 255, 0).astype("uint8")[..., None]


def with_tag(images, tagged):
    images = images.copy()
    images[tagged, :40, :40] = tag
    return images


# %%
shop = train.take(60, seed=0)
shop_pictures = with_tag(shop.images, shop.labels == 1)
shop_head = tlkit.fit_linear_head(tlkit.extract_features(base, shop_pictures), shop.labels)


# %%
def in_a_shop_that_tags(label):
    seen = tlkit.extract_features(base, with_tag(test.images, test.labels == label))
    return score(test.labels, shop_head(seen))


same_shop, other_shop = in_a_shop_that_tags(1), in_a_shop_that_tags(0)
print(f"new hats and sunglasses in the same shop: {same_shop.accuracy:.0%}")
print(f"in a shop that tags the sunglasses:       {other_shop.accuracy:.0%}")

# %% tags=["evidence"]
claim("in the same shop it looks excellent", same_shop.low, above=0.85)
claim("with the tag on the others it collapses", other_shop.high, below=0.6)

# %% [markdown]
# The first number is what you'd have reported: honest split, unseen pictures. The second is what
# another shop would get, and it's worse than tossing a coin. Would Grad-CAM have warned you?

# %%
shop_model = tlkit.attach_head(base, shop_head)
hats = with_tag(test.images, test.labels == 1)[test.labels == 1][:6]
tlkit.plots.image_grid(
    hats,
    ["hat"] * 6,
    heats=[tlkit.explain.grad_cam(shop_model, image, class_index=1) for image in hats],
    caption="Where the shop's classifier finds its hats.",
)


# %% tags=["evidence"]
def heat_on_tag(model):
    heats = [tlkit.explain.grad_cam(model, image, class_index=1) for image in hats]
    return np.mean([heat[:40, :40].sum() / heat.sum() for heat in heats])


fooled, sound = heat_on_tag(shop_model), heat_on_tag(model)
shown = f"{fooled:.0%} of its heat against {sound:.0%}; the corner is 6 % of the picture"
claim("the fooled one looks at the corner far more", fooled / max(sound, 1 / 16), shown, above=2)

# %% [markdown]
# It's a hint, not a proof: heat-maps this coarse are easily misread. Look at a dozen, and better
# still, test on pictures from somewhere else.
#
# ### The silent mistake
#
# Our network scales its pictures itself, so it always wants plain pixels from 0 to 255. Many
# recipes scale them outside, too. Then nothing fails: the answers are just wrong.
#
# **Mend.** These lines give a poor accuracy for a good classifier. Find the mistake and put the
# accuracy of the mended lines into `accuracy`.

# %% tags=["row-C7"]
scaled = test.images / np.float32(255)
spoilt = score(test.labels, model.predict(scaled, verbose=0))
print(spoilt)

# %% tags=["exercise"]
# STUB
accuracy = ...
# SOLUTION
accuracy = score(test.labels, model.predict(test.images, verbose=0)).accuracy
# END
check("03.5", accuracy)

# %% tags=["evidence"]
claim("scaling twice ruins the answers, silently", result.low - spoilt.high, above=0.1)

# %% [markdown]
# Keras can't know what you meant. `extract_features` looks at the range of the pixels and refuses:

# %% tags=["nbval-check-output"]
try:
    tlkit.extract_features(base, scaled)
except tlkit.errors.InputError as error:
    print(error)

# %% [markdown]
# ### Altered copies
#
# **Augmentation** shows the network altered copies of each picture: mirrored, turned, moved. With
# kept features every copy has to go through the network once, so five versions cost five passes,
# still far fewer than an epoch each. Does it pay here, with 60 labels?

# %%
alter = keras.Sequential(
    [
        keras.layers.RandomFlip("horizontal", seed=0),
        keras.layers.RandomRotation(0.05, seed=0),
        keras.layers.RandomTranslation(0.1, 0.1, seed=0),
    ]
)
copies = [alter(shop.images.astype("float32"), training=True) for _ in range(4)]
five_versions = np.concatenate([shop.images, *copies]).astype("uint8")

# %% tags=["row-C8"]
plain = tlkit.fit_linear_head(tlkit.extract_features(base, shop.images), shop.labels)
more = tlkit.extract_features(base, five_versions)
augmented = tlkit.fit_linear_head(more, np.tile(shop.labels, 5))
for name, each in {"as they are": plain, "with copies": augmented}.items():
    print(name, score(test.labels, each(test_features)))

# %% [markdown]
# Whatever difference you see lies well inside those intervals. The network has learnt long ago that
# a mirrored hat is a hat. [Lesson 04](04a_fine_tuning.ipynb) asks again when the network itself may
# move.

# %% [markdown]
# ## What you measured
#
# - A linear head on frozen features made two hundred labels into a useful classifier, in seconds.
# - Each picture needs to go through a frozen network only once; that costs no accuracy.
# - At 60 labels, pretrained features beat random ones and networks from scratch by a wide margin.
# - Which layer to read depends on the task: on digits `block_12` beat the last features.
# - Averaged features forget where things are.
# - A classifier can be excellent on unseen pictures and still look at the wrong thing; scaling
#   twice ruins one without any error.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
quiz("03")

# %% [markdown]
# ## Your turn
#
# **Write.** Now the whole procedure, alone, on a new task: icons of five kinds. Load 400 of them
# with `tlkit.load_dataset("icons", n=400, image_size=160, seed=3)`, split off 200 for training with
# `seed=3`, extract features, fit a head, and put the accuracy on the other 200 into `accuracy`.

# %% tags=["exercise"]
# STUB
accuracy = ...
# SOLUTION
icons = tlkit.load_dataset("icons", n=400, image_size=160, seed=3)
learn, judge = icons.split(train=200, seed=3)
icon_head = tlkit.fit_linear_head(tlkit.extract_features(base, learn.images), learn.labels)
icon_answers = icon_head(tlkit.extract_features(base, judge.images))
accuracy = score(judge.labels, icon_answers).accuracy
# END
check("03.6", accuracy)

# %% [markdown]
# And now yours. Photograph two kinds of things on your desk, twenty pictures of each, put them into
# two folders, and read them with `tlkit.load_pictures("pictures", image_size=160)`. What does
# Grad-CAM say your classifier looks at: the thing, or the desk?

# %% [markdown]
# ## Further reading
#
# - CS231n, *Transfer Learning*: <https://cs231n.github.io/transfer-learning/>
# - Selvaraju et al. 2017, *Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
#   Localization*: <https://arxiv.org/abs/1610.02391>
# - Kornblith, Shlens & Le 2019, *Do Better ImageNet Models Transfer Better?*:
#   <https://arxiv.org/abs/1805.08974>
# - Chollet 2016, *Building powerful image classification models using very little data*, on the
#   Keras blog:
#   <https://blog.keras.io/building-powerful-image-classification-models-using-very-little-data.html>
#
# ## Curriculum rows
#
# This lesson covered C1 to C9.
