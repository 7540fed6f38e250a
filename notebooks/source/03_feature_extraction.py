# %% [markdown]
# # 03 · Feature extraction
#
# The cheapest way to make a pretrained network yours is not to train it at all. You run your
# pictures through it once, keep what comes out, and train something very small on that.
#
# ## What you will be able to do
#
# - split a network into a featuriser that you keep and a head that you replace;
# - train a classifier in a blink on features that you computed once;
# - tell how many labels you need, which layer to read and which head to use, by measuring;
# - see what a classifier looks at, and catch one that is right for the wrong reason.
#
# ## How long it takes
#
# An hour of reading and trying. Running everything takes under two minutes on two cores.
#
# ## What you need
#
# Lesson 01. Everything is on your computer already.

# %% [markdown]
# ## A classifier in three lines
#
# Some drawn people wear sunglasses, the others a hat. Two hundred labelled pictures are all that
# we train on. Four hundred others, which the classifier never sees in training, judge it.

# %%
import tlkit
from tlkit.course import Question, check, claim, quiz
from tlkit.scores import paired_difference, score

# %%
data = tlkit.load_dataset("sunglasses-or-hat", n=600, image_size=128, seed=0)
train, test = data.split(train=200, seed=0)
train.show(12)

# %% tags=["nbval-check-output"]
print(train.describe())

# %%
base = tlkit.load_backbone("efficientnet-lite0", image_size=128)
train_features = tlkit.extract_features(base, train.images)
head = tlkit.fit_linear_head(train_features, train.labels)

# %%
test_features = tlkit.extract_features(base, test.images)
result = score(test.labels, head(test_features))
claim("200 labels are enough for a useful classifier", result.low, str(result), above=0.85)

# %% [markdown]
# That took seconds. The rest of this lesson takes these three lines apart.

# %% [markdown]
# ## Two parts: keep the featuriser, replace the classifier
#
# An image classifier is two machines in a row. The **featuriser** turns a picture into numbers
# that describe it; it is also called the **backbone**, or `base` in our code. The **classifier**,
# or head, turns those numbers into an answer. Here is the whole pretrained network with its
# original head. The picture goes in on the first line. Three numbers are height, width, and how
# many **maps** there are: each map says where in the picture one thing was found.

# %% tags=["row-C1", "nbval-check-output"]
full = tlkit.load_backbone("efficientnet-lite0", image_size=128, classifier=True)
for name in ["pictures", "stem", "block_05", "block_12", "features", "pool", "logits"]:
    layer = full.get_layer(name)
    print(f"{name:9} gives {layer.output.shape[1:]}")

# %% [markdown]
# Everything up to `features` is the featuriser. `pool` averages each of the 1280 maps over the
# picture, and `logits` is the head: one number for each of the 1000 classes of ImageNet.

# %% tags=["nbval-check-output"]
head_parameters = full.get_layer("logits").count_params()
print(f"{base.count_params():,} parameters in the featuriser")
print(f"{head_parameters:,} in the old head, {head.count_params():,} in ours")

# %% [markdown]
# Why does the old head go? Because it answers somebody else's question. Ask it about our people.

# %%
old_answers = tlkit.extract_features(full, test.images)
names = [first[0][0] for first in tlkit.decode_predictions(old_answers, top=1)]
sorted(((names.count(name), name) for name in set(names)), reverse=True)[:6]

# %% [markdown]
# Keeping the head is fair when your classes are among the old ones, and seen the same way.
# ImageNet does have sunglasses and several kinds of headwear. So let the old head choose between
# those, with no training at all.

# %%
from tlkit.paths import card_text

imagenet = card_text("imagenet_classes.txt").splitlines()
glasses = [imagenet.index(name) for name in ("sunglass", "sunglasses")]
headwear = ("cowboy hat", "sombrero", "bonnet", "bearskin", "bathing cap", "shower cap")
hats = [imagenet.index(name) for name in headwear]

# %%
says_hat = old_answers[:, hats].max(axis=1) > old_answers[:, glasses].max(axis=1)
kept_head = score(test.labels, says_hat.astype(int))

# %%
claim(
    "the old head does much worse than a new one on the same features",
    result.low - kept_head.high,
    f"{kept_head.accuracy:.0%} against {result.accuracy:.0%}",
    above=0.05,
)

# %% [markdown]
# Guessing would give 50 %. Perhaps the old head learnt its hats from photographs, and ours are
# drawn. Or our rule was unfair: six kinds of headwear stand against two of sunglasses. What is
# sure: the same features held the answer, for the new head found it there.
#
# ### What pooling gives up
#
# Pooling averages over the picture, so it forgets *where* something was. That is what you want
# when place does not matter, and a loss when it does. Here is a task that is nothing but place:
# is the hat, or are the sunglasses, in the left or in the right half? The pictures are composed,
# so we know exactly which pixels are hat or sunglasses: that is the `mask`.

# %%
import numpy as np

from tlkit.data import compose_people

people, _, masks = compose_people(400, image_size=128, seed=0, masks=True)
middle = np.array([np.nonzero(mask)[1].mean() for mask in masks])
in_right_half = (middle > 64).astype(int)


# %%
def place_accuracy(features):
    head = tlkit.fit_linear_head(features[:200], in_right_half[:200])
    return score(in_right_half[200:], head(features[200:]))


# %%
maps = tlkit.extract_features(base, people, pooled=False)
pooled = place_accuracy(maps.mean(axis=(1, 2)))
unpooled = place_accuracy(maps.reshape(len(maps), -1))

# %%
claim("pooled features hardly know where things are", pooled.accuracy, str(pooled), below=0.65)
claim("the maps before pooling do know", unpooled.low, str(unpooled), above=0.8)

# %% [markdown]
# So pool when you ask *what*, and keep the maps when you ask *where*. The price of the maps is
# sixteen times as many numbers per picture, and as many more weights to fit.

# %% [markdown]
# ## The frozen network is a function
#
# A **frozen** network does not change: it gives the same answer to the same picture every time. So
# there is no need to ask it twice. But the usual recipe puts the frozen network inside the model
# and calls `fit`. Then every picture passes through it again in every **epoch**, that is, in every
# round of training. Here is that recipe in plain Keras.

# %%
import keras


def with_head(features_in):
    keras.utils.set_random_seed(0)
    return keras.layers.Dense(2)(features_in)


# %%
base.trainable = False
inputs = keras.Input((128, 128, 3))
averages = keras.layers.GlobalAveragePooling2D()(base(inputs))
recipe = keras.Model(inputs, with_head(averages))


# %%
def compile_and_fit(model, inputs, epochs):
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
    model.fit(inputs, train.labels, batch_size=32, epochs=epochs, verbose=0)


# %%
import time

start = time.process_time()
compile_and_fit(recipe, train.images, epochs=10)
recipe_seconds = time.process_time() - start

# %% [markdown]
# And here is the same head, with the same number of epochs, on features that were computed once.
# We do not read them from the disk: the clock includes the one pass through the network.
# (`process_time` counts the seconds that the processor works for us, on all its cores together.
# What other programs do meanwhile, or thirty other learners at one server, does not count.)

# %%
start = time.process_time()
once = tlkit.extract_features(base, train.images, cache=False)
inputs = keras.Input((1280,))
small_head = keras.Model(inputs, with_head(inputs))
compile_and_fit(small_head, once, epochs=10)
cached_seconds = time.process_time() - start

# %%
by_recipe = score(test.labels, recipe.predict(test.images, verbose=0))
by_cache = score(test.labels, small_head.predict(test_features, verbose=0))

# %% tags=["row-C2"]
ratio = recipe_seconds / cached_seconds
print(f"{recipe_seconds:.1f} s against {cached_seconds:.1f} s: {ratio:.0f} times less")

# %%
claim(
    "and costs no accuracy",
    abs(by_recipe.accuracy - by_cache.accuracy),
    f"{by_recipe.accuracy:.1%} and {by_cache.accuracy:.1%}",
    below=0.03,
)

# %% [markdown]
# The recipe ran every picture through the network ten times, and we ran it once. How much time that
# saves depends on your computer; the small head must be trained, too, and that is on the clock. The
# more epochs, the more you save. (A part of the saving is that `extract_features` is faster than
# Keras at a single pass.) Normally `extract_features` also keeps the features on disk. Their
# file name is made from the pictures and the weights, so that old features are never mistaken for
# new ones. After a restart they are read back instead of computed.
#
# What is left to wait for is the head itself.

# %%
start = time.perf_counter()
tlkit.fit_linear_head(once, train.labels)
print(f"fitting a linear head took {1000 * (time.perf_counter() - start):.0f} ms")

# %% [markdown]
# ## Which head?
#
# With features in hand, every classifier you know can be the head. We compare four from
# scikit-learn, in one setting each: a weighted sum (linear), a tiny neural network (multilayer), a
# vote among the five most similar pictures, and a vote among many decision trees (random forest).
# Choosing is part of training, so it happens by
# **cross-validation** on the 200 *training* labels: fit on four fifths, judge on the fifth that
# was left out, five times over. The test pictures stay out of it.

# %%
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

# %%
heads = {
    "linear": LogisticRegression(max_iter=1000),
    "small multilayer": MLPClassifier((64,), max_iter=300, random_state=0),
    "five nearest pictures": KNeighborsClassifier(5),
    "random forest": RandomForestClassifier(random_state=0),
}

# %%
from sklearn.model_selection import cross_val_predict

chosen_by = {}
for name, classifier in heads.items():
    left_out = cross_val_predict(classifier, train_features, train.labels, cv=5)
    chosen_by[name] = score(train.labels, left_out)

# %% tags=["row-C3"]
tlkit.plots.bars_with_intervals(
    list(chosen_by),
    [each.accuracy for each in chosen_by.values()],
    [(each.low, each.high) for each in chosen_by.values()],
    value_label="accuracy in five-fold cross-validation, with 95 % interval",
    percent=True,
)

# %%
best = max(chosen_by.values())
claim(
    "no other head is clearly better than the linear one",
    best.accuracy - chosen_by["linear"].accuracy,
    f"linear {chosen_by['linear'].accuracy:.1%}, best {best.accuracy:.1%}",
    below=0.04,
)

# %% [markdown]
# The pretrained network has done the hard part already: most of what is left, a plain weighted sum
# can tell apart. Start with the linear head: it has few knobs, and there is nothing to wait for.

# %% [markdown]
# ## How many labels do you need?
#
# This is the question that decides whether a project is possible. We ask it of four ways to get
# a classifier:
#
# - **frozen, pretrained**: what you just did;
# - **frozen, random**: the same network with random weights. It is a **control**: all is the same
#   but the pretraining, so the difference is due to that;
# - **large network from scratch**: built in the same way, every weight trained, no borrowed ones;
# - **small network from scratch**: what you might build by hand.
#
# Here is that small network. You will meet it again as `tlkit.small_network`.

# %%
small = keras.Sequential([keras.Input((128, 128, 3)), keras.layers.Rescaling(1 / 255)])
for filters in (16, 32, 48, 64):
    convolution = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")
    small.add(convolution)
small.add(keras.layers.GlobalAveragePooling2D())
small.add(keras.layers.Dense(2))

# %% [markdown]
# Training the large one from scratch takes minutes for each point, so we stored the table. It holds
# three repeats, called **seeds**: three sets of training pictures, three random starts, and one
# test set of five hundred. (`make experiments` computes it again.)

# %%
table = tlkit.results("label_counts", by=["method", "labels"])
counts = [20, 60, 200]
methods = table.values("method")


# %% tags=["row-C4"]
accuracy_of = np.array([[table.runs(method, n) for n in counts] for method in methods])
tlkit.plots.curve(
    counts,
    accuracy_of.mean(axis=-1),
    methods,
    np.stack([accuracy_of.min(axis=-1), accuracy_of.max(axis=-1)], axis=1),
    x_label="labelled pictures",
    y_label="accuracy on 500 test pictures",
    log_x=True,
    percent=True,
)

# %% [markdown]
# The lines are means of three seeds; each shade reaches from the worst to the best. "Frozen,
# random" is the control that matters: the same network and the same kind of head, but features that
# nobody trained. The difference between these two is what the *pretraining* gives.

# %%
control = table.difference(("frozen, pretrained", 60), ("frozen, random", 60))
claim("pretrained features beat random ones of the same network", control.low > 0.1, str(control))

# %%
gains = [
    table.difference(("frozen, pretrained", 60), (method, 60))
    for method in ("large network from scratch", "small network from scratch")
]
for gain, size in zip(gains, ("large", "small"), strict=True):
    claim(f"at 60 labels transfer beats a {size} network from scratch", gain.low > 0.05, str(gain))

# %% [markdown]
# More labels help the networks from scratch more, for they have everything still to learn. The
# table also holds the small one's runs with 600 labels.

# %%
later = table.difference(("frozen, pretrained", 600), ("small network from scratch", 600))
claim("with 600 labels transfer is ahead by less", later.mean < gains[1].mean - 0.05, str(later))

# %% [markdown]
# A stored table could be wrong, so we run one of its points again, here and now: pretrained
# features, the first seed's 60 labels, the same test pictures. And we train the small network
# above on the same sixty.

# %%
few = data.take(60, seed=0)
fresh = tlkit.load_dataset("sunglasses-or-hat", n=500, image_size=128, seed=1000)
few_features = tlkit.extract_features(base, few.images)
fresh_features = tlkit.extract_features(base, fresh.images)

# %%
live = score(fresh.labels, tlkit.fit_linear_head(few_features, few.labels)(fresh_features))
stored = table.runs("frozen, pretrained", 60)[0]
claim(
    "the live run agrees with the stored table",
    abs(live.accuracy - stored),
    f"live {live.accuracy:.1%}, stored {stored:.1%}",
    below=0.015,
)

# %%
keras.utils.set_random_seed(0)
small.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
small.fit(few.images, few.labels, batch_size=16, epochs=60, verbose=0)
alone = score(fresh.labels, small.predict(fresh.images, verbose=0))
by_heart = score(few.labels, small.predict(few.images, verbose=0))

# %%
claim(
    "and the small network from scratch is far behind",
    live.accuracy - alone.accuracy,
    f"{alone.accuracy:.1%} against {live.accuracy:.1%}; on its own sixty {by_heart.accuracy:.0%}",
    above=0.1,
)

# %% [markdown]
# ## Which layer?
#
# The last features speak of whole objects, as ImageNet knows them. If your pictures look nothing
# like ImageNet, an earlier layer may describe them better. Handwritten digits are such pictures.
# The rule of thumb says: few labels and a *similar* task, read the last features; few labels and
# a *different* task, read earlier ones.

# %%
digits = tlkit.load_dataset("digits", n=500, image_size=128, seed=0)
digits.show(12)

# %%
by_layer = {
    layer: tlkit.extract_features(base, digits.images, layer=layer)
    for layer in ("stem", "block_05", "block_12", "features")
}

# %% tags=["nbval-check-output"]
for layer, each in by_layer.items():
    print(f"{layer:9} {each.shape[1]:5} numbers per picture")


# %%
def accuracies(features, labels, train, seeds=range(5)):
    found = []
    for seed in seeds:
        order = np.random.default_rng(seed).permutation(len(labels))
        learn, judge = order[:train], order[train:]
        head = tlkit.fit_linear_head(features[learn], labels[learn])
        found.append(score(labels[judge], head(features[judge])).accuracy)
    return found


# %%
far = {layer: accuracies(each, digits.labels, train=100) for layer, each in by_layer.items()}

# %% tags=["row-C5"]
tlkit.plots.bars_with_intervals(
    list(far),
    [np.mean(each) for each in far.values()],
    [(min(each), max(each)) for each in far.values()],
    value_label="accuracy on digits from 100 labels; lines: worst to best of five splits",
    percent=True,
)

# %%
earlier = paired_difference(far["block_12"], far["features"])
claim("on digits an earlier layer beats the last one", earlier.low > 0.02, str(earlier))
too_early = paired_difference(far["block_12"], far["stem"])
claim("but the earliest is far worse", too_early.low > 0.3, str(too_early))

# %% [markdown]
# So here the rule holds, but not all the way back. The first layer sees only edges and colours, and
# gives only 32 numbers per picture; either may be why it fails. (The five splits share most of
# their pictures, so these intervals are too narrow. Trust the large differences only.) Now the
# people, whom we take to be nearer to what ImageNet shows, also from 100 labels.

# %%
near_layers = {
    layer: tlkit.extract_features(base, data.images, layer=layer)
    for layer in ("block_12", "features")
}

# %%
near = {layer: accuracies(each, data.labels, train=100) for layer, each in near_layers.items()}
near_gain = paired_difference(near["block_12"], near["features"])
claim("the people gain less from it", near_gain.mean < earlier.mean - 0.01, str(near_gain))

# %% [markdown]
# For the people the earlier layer does not help: its interval reaches both ways from zero. So the
# best layer depends on the task, and the labels that you have can tell you which it is. Lesson 02
# follows this through all sixteen blocks.

# %% [markdown]
# ## What does it look at?
#
# **Grad-CAM** asks where the evidence for an answer was. Each of the last maps says where one thing
# was found. Grad-CAM adds up those maps, with more weight for the ones that push the answer up.
# The result is coarse: four by four cells, blown up to the size of the picture. It needs the whole
# way from picture to logits, so we join the backbone and our head into one model. We look at
# pictures that it got right, and at pictures that it got wrong.

# %%
model = tlkit.attach_head(base, head)
said = head(test_features).numpy().argmax(axis=1)
right = np.nonzero(said == test.labels)[0][:6]
wrong = np.nonzero(said != test.labels)[0][:6]


# %%
def heat_grid(model, images, titles, caption):
    heats = [tlkit.explain.grad_cam(model, image) for image in images]
    lit = [image * (0.2 + 0.8 * heat[..., None]) for image, heat in zip(images, heats)]
    titles = [*titles, *[""] * len(lit)]
    return tlkit.plots.image_grid([*images, *lit], titles, columns=6, caption=caption)


# %% tags=["row-C6"]
class_names = np.array(test.class_names)
heat_grid(
    model,
    test.images[right],
    class_names[said[right]],
    "Six right answers; below, lit where the classifier looks.",
)

# %%
heat_grid(
    model,
    test.images[wrong],
    [f"{class_names[said[i]]}? {class_names[test.labels[i]]}!" for i in wrong],
    "Six mistakes: what it said, and what it is.",
)

# %% [markdown]
# Saliency asks a finer question: which pixels would change the answer most if they changed a
# little? It is noisier, and sharper.

# %%
picture = test.images[right[0]]
pixels = tlkit.explain.saliency(model, picture, smooth=8)
tlkit.plots.heat_overlay(picture, pixels, title="saliency")

# %% [markdown]
# In this picture it lights the face as much as the hat. A pixel that would *change* the answer need
# not *speak* for it. Perhaps this is where the network checks for sunglasses; one picture does not
# prove it. (`smooth=8` averages over eight noisy copies of the picture, to quieten the specks.)
#
# ### Right for the wrong reason
#
# Suppose every hat was photographed in one shop, and that shop puts a chequered tag into the
# corner of its pictures. We build that accident on purpose, and train on it. Then we test twice:
# with the tag on the hats, as in the shop, and with the tag on the sunglasses instead.

# %%
rows, columns = np.mgrid[:32, :32]
tag = np.where((rows // 4 + columns // 4) % 2, 255, 0).astype("uint8")[..., None]


# %%
def with_tag(images, tagged):
    images = images.copy()
    images[np.asarray(tagged, bool), :32, :32] = tag
    return images


# %%
tlkit.plots.image_grid(with_tag(train.images[:6], train.labels[:6] == 1), columns=6)

# %%
shop = train.take(60, seed=0)
judged = test.take(200, seed=0)
shop_features = tlkit.extract_features(base, with_tag(shop.images, shop.labels == 1))
shop_head = tlkit.fit_linear_head(shop_features, shop.labels)


# %%
def judge(tagged):
    features = tlkit.extract_features(base, with_tag(judged.images, tagged))
    return score(judged.labels, shop_head(features))


# %%
same_shop, other_shop = judge(judged.labels == 1), judge(judged.labels == 0)
claim("in the same shop it looks excellent", same_shop.accuracy, str(same_shop), above=0.85)
claim("with the tag on the others it collapses", other_shop.high, str(other_shop), below=0.6)

# %% [markdown]
# The first number is what you would have reported: same shop, pictures held out, honest split. The
# second is what another shop would get, if it tagged the sunglasses. It is worse than guessing.
# Does Grad-CAM give a hint before a customer does? Look at the corner, in all six pictures.

# %%
shop_model = tlkit.attach_head(base, shop_head)
tagged = with_tag(judged.images, judged.labels == 1)[judged.labels == 1][:6]
heat_grid(shop_model, tagged, ["hat"] * 6, "The shop's classifier.")


# %%
def heat_on_tag(model):
    heats = [tlkit.explain.grad_cam(model, image, class_index=1) for image in tagged]
    return np.mean([heat[:32, :32].sum() / heat.sum() for heat in heats])


# %%
fooled, sound = heat_on_tag(shop_model), heat_on_tag(model)
claim(
    "the fooled classifier looks at the corner far more than the sound one",
    fooled / max(2 * sound, 1 / 16),
    f"{fooled:.0%} of its heat against {sound:.0%}; the corner is 6% of the picture",
    above=1,
)

# %% [markdown]
# The hint is a weak one. Most of the heat lies elsewhere; in a single picture you might miss it.
# This heat-map has only four by four cells, stretched to the picture's size, and the tag covers one
# of them. So compare numbers over several pictures, and do not look for an outline in one.

# %% [markdown]
# ## Preprocessing belongs inside the model
#
# This network wants values from about −1 to 1. Our model does that scaling itself, as its first
# layer, so it always takes plain pictures from 0 to 255. Scale them outside as well, as many
# recipes do, and nothing fails: the answers are just wrong.

# %%
scaled = judged.images / np.float32(255)
twice = score(judged.labels, model.predict(scaled, verbose=0))

# %% tags=["row-C7"]
claim(
    "scaling twice ruins the answers, silently",
    result.low - twice.high,
    f"{twice.accuracy:.0%} instead of {result.accuracy:.0%}",
    above=0.1,
)

# %% [markdown]
# Nothing in Keras can know what you meant. `extract_features` looks at the range and refuses.

# %% tags=["nbval-check-output"]
try:
    tlkit.extract_features(base, scaled)
except tlkit.errors.InputError as error:
    print(error)

# %% [markdown]
# ## Augmentation, if features are cached
#
# Augmentation shows the network changed copies of each picture: mirrored, turned, shifted. With
# cached features each copy must go through the network once. One picture and four copies are five
# passes instead of one. That is still cheaper than a pass in each of ten or fifty epochs. Is it
# worth it here? With 60 labels and four extra copies:

# %%
turn = keras.Sequential(
    [
        keras.layers.RandomFlip("horizontal", seed=0),
        keras.layers.RandomRotation(0.05, seed=0),
        keras.layers.RandomTranslation(0.1, 0.1, seed=0),
    ]
)

# %%
copies = [np.asarray(turn(few.images.astype("float32"), training=True)) for _ in range(4)]
tlkit.plots.image_grid([few.images[0], *[copy[0] for copy in copies]], columns=5)

# %%
five_times = np.concatenate([few.images, *copies]).clip(0, 255).astype("uint8")
more_features = tlkit.extract_features(base, five_times)
more_head = tlkit.fit_linear_head(more_features, np.tile(few.labels, 5))
augmented = score(fresh.labels, more_head(fresh_features))

# %% tags=["row-C8"]
print(f"without copies {live}")
print(f"with copies    {augmented}")

# %%
claim(
    "on these features augmentation changes little, as far as 500 pictures can tell",
    abs(augmented.accuracy - live.accuracy),
    f"{100 * (augmented.accuracy - live.accuracy):+.1f} points for five times the work",
    below=0.05,
)

# %% [markdown]
# Perhaps because a pretrained network has learnt already that a mirrored hat is a hat. Lesson 04
# asks again when the network itself is trained.

# %% [markdown]
# ## Does freezing guard against overfitting?
#
# A network with far more weights than pictures can learn its training set by heart, and know little
# else. That is **overfitting**. The sign is the **gap** between training and test accuracy. Here
# are the same runs as in the curve above, now with what they score on their own training pictures.
# (The large network also keeps some running averages; they are not trained, and not counted.)

# %% tags=["row-C9"]
print("way                          trained weights   labels   training   test    gap")
for method in methods:
    for n in counts:
        fitted, tested = table.runs(method, n, column="train").mean(), table.runs(method, n).mean()
        weights = table.runs(method, n, column="trained_parameters")[0]
        print(
            f"{method:28} {weights:15,} {n:8} {fitted:10.0%} {tested:6.0%} {fitted - tested:6.0%}"
        )

# %%
gap = {m: table.runs(m, 60, column="train") - table.runs(m, 60) for m in methods}
for other in ("large network from scratch", "frozen, random"):
    wider = paired_difference(gap[other], gap["frozen, pretrained"])
    claim(f"the gap is wider with: {other}", wider.low > 0, str(wider))

# %% [markdown]
# With 60 labels all of these have more weights than pictures, and all learn their pictures by
# heart, or nearly so. So the gap is little more than 100 % minus the test accuracy. Few trained
# weights alone do not help: the random features have just as few, and their gap is as wide as the
# large network's. Frozen *pretrained* features have the narrowest gap. Is that because they are
# frozen, or because they are pretrained? One row is missing that could tell: the pretrained
# network, unfrozen. So this table doesn't show that freezing guards against overfitting; lessons
# 04a and 05 let the network move and see.

# %% [markdown]
# ## What you measured
#
# - A new linear head on frozen features turned 200 labels into a useful classifier; the old head,
#   asked in the simplest way, was hardly better than guessing on the same features.
# - Features computed once give the same accuracy in a fraction of the time.
# - Pooled features hardly know where things are.
# - No other head was clearly better than the linear one. On digits, far from photographs, an
#   earlier layer was better than the last one; on the people it was not.
# - With 60 labels, transfer beats training from scratch and features that nobody trained, and its
#   gap is narrower.
# - A classifier can be excellent on held-out pictures and look at the wrong thing. Preprocessing
#   done twice ruins it without an error.

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
quiz(
    [
        Question(
            "You freeze the backbone and train a head for 50 epochs on 300 pictures. How many "
            "pictures must pass through the backbone if you cache its features?",
            [
                ("15,000", "No: that is what `fit` does when the backbone sits inside the model."),
                (
                    "300",
                    "Right: a frozen network gives the same answer every time, so once is enough.",
                ),
                ("50", "No: each picture has features of its own."),
            ],
        ),
        Question(
            "Your task is to tell whether a dog is in the left or in the right half of the "
            "picture. What do you train the head on?",
            [
                ("pooled features", "No: pooling averages over places, and here place is all."),
                ("the maps before pooling", "Right: they still say where things are."),
                ("the old logits", "No: these come after pooling and speak of 1000 other classes."),
            ],
        ),
        Question(
            "You have 100 labelled X-ray pictures. How do you choose the layer to read?",
            [
                ("it is the last one, always", "No: it speaks of dogs and sofas; measure others."),
                (
                    "by cross-validation on the 100",
                    "Right: the best layer depends on the task, and your labels can tell.",
                ),
                ("by the accuracy on the test set", "No: then the test set has been trained on."),
            ],
        ),
        Question(
            "A classifier scores 98 % on held-out pictures from the same camera. What does "
            "Grad-CAM add?",
            [
                ("a higher accuracy", "No: it changes nothing in the classifier."),
                (
                    "whether it looks at the object or at something that goes along with it",
                    "Right: the held-out pictures share the accident, so accuracy cannot show it.",
                ),
                ("nothing, 98 % is 98 %", "No: remember the shop with the chequered tag."),
            ],
        ),
        Question(
            "Training accuracy is 100 % and test accuracy 70 %. What helps most?",
            [
                ("training longer", "No: there is nothing left to learn from these pictures."),
                ("a larger network from scratch", "No: it has even more room to learn by heart."),
                (
                    "more labels, or fewer trained weights on pretrained features",
                    "Right: both narrow the gap.",
                ),
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
# **1. Predict, then count.** How many parameters has a linear head for *ten* classes on the
# features of `block_12`?

# %% tags=["exercise"]
# STUB
parameters = ...
# SOLUTION
parameters = (192 + 1) * 10
# END
check(
    parameters,
    1930,
    hints=[
        (1920, "Each class has a bias, too."),
        (12810, "That is on the last features; how many numbers has block_12?"),
    ],
    hint="Each class has a weight for each feature, and one more number.",
    name="Exercise 1",
)

# %% [markdown]
# **2. Change one value.** Train the linear head on `block_12` instead of the last features (200
# labels), and put its test accuracy into `accuracy`.

# %% tags=["exercise"]
# STUB
accuracy = ...
# SOLUTION
middle_features = tlkit.extract_features(base, train.images, layer="block_12")
middle_head = tlkit.fit_linear_head(middle_features, train.labels)
middle_test = tlkit.extract_features(base, test.images, layer="block_12")
accuracy = score(test.labels, middle_head(middle_test)).accuracy
# END
check(
    getattr(accuracy, "accuracy", accuracy),
    lambda a: near["block_12"][0] - 0.03 < a < 1,
    hints=[(lambda a: a > 1, "Give a share between 0 and 1.")],
    hint="Extract both training and test features with layer='block_12', then fit a new head.",
    name="Exercise 2",
)

# %% [markdown]
# **3. What does the recipe cost?** Write a function that says how many times more pictures go
# through the network in the usual recipe than with cached features.


# %% tags=["exercise"]
# STUB
def times_more(pictures, epochs, copies=1):
    """copies: versions of each picture that are cached; the recipe makes a fresh one each epoch."""
    return ...


# SOLUTION
def times_more(pictures, epochs, copies=1):
    """copies: versions of each picture that are cached; the recipe makes a fresh one each epoch."""
    return (pictures * epochs) / (pictures * copies)


# END


check(
    times_more,
    cases=[((300, 20), 20), ((50, 20), 20), ((300, 20, 5), 4)],
    hint="The recipe passes every picture in every epoch; the cache passes every copy once.",
    name="Exercise 3",
)

# %% [markdown]
# **4. Write a head yourself.** The simplest head of all: average the features of each class, and
# answer with the class whose average is nearest.


# %% tags=["exercise"]
# STUB
def nearest_mean(features, labels, unknown):
    """Class (N,) of each row of `unknown`, by the nearest class mean."""
    return ...


# SOLUTION
def nearest_mean(features, labels, unknown):
    """Class (N,) of each row of `unknown`, by the nearest class mean."""
    means = np.stack([features[labels == c].mean(axis=0) for c in range(labels.max() + 1)])
    distances = ((unknown[:, None] - means[None]) ** 2).sum(axis=-1)
    return distances.argmin(axis=1)


# END


toy, line = np.array([[0.0, 0], [0, 2], [9, 9], [9, 7]]), np.array([[0.0], [10], [11], [13]])
classes = np.array([0, 0, 1, 1])
check(
    nearest_mean,
    cases=[
        ((toy, classes, np.array([[1.0, 1.0], [8.0, 8.0]])), np.array([0, 1])),
        ((line, classes, np.array([[9.0]])), np.array([1])),  # beside a 0, but nearer to 1's mean
    ],
    hint="First the mean of each class's rows, then the distance of each unknown row to each mean.",
    name="Exercise 4",
)

# %% [markdown]
# **5. On your own.** Photograph two kinds of things on your desk, twenty pictures each, into two
# folders. `tlkit.load_folder("pictures", image_size=128)` reads them. How accurate is the linear
# head, and what does Grad-CAM say it looks at?

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
