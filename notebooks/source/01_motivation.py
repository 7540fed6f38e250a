# %% [markdown]
# # 01 · Motivation: borrow a network
#
# Somebody has already shown a network a million photographs. This lesson borrows it, and looks
# at what it has learnt.
#
# ## What you will be able to do
#
# - let a pretrained network name pictures, and train a classifier of your own on top of it;
# - say what is transferred, from where to where, and why that works at all;
# - look inside a network, from its first filters to its late channels;
# - compare networks by what they cost and what they know, on your own computer.
#
# ## How long it takes
#
# The cells run for a minute or two in all. Reading, trying and answering take about an hour.
#
# ## What you need
#
# A little Python, and this course installed (the [index](00_index.ipynb) has a check). No graphics
# card, no downloads, and no knowledge of neural networks beyond the word.

# %% [markdown]
# ## A network that already knows things
#
# Here are eleven photographs.

# %%
import tlkit

photos = tlkit.load_dataset("photos", image_size=160)
photos.show()

# %% [markdown]
# And here is a network. It learnt from ImageNet, a collection of photographs, and knows a thousand
# kinds of things. For each it gives a number, its **logit**: the larger, the likelier.

# %% tags=["row-A4", "nbval-check-output"]
network = tlkit.load_backbone("efficientnet-lite0", image_size=160, classifier=True)
logits = network.predict(photos.images, verbose=0)
answers = [best for [(best, _)] in tlkit.decode_predictions(logits, top=1)]
titles = [photos.class_names[label] for label in photos.labels]
named = dict(zip(titles, answers, strict=True))
for photo in ("cat", "coffee", "camera", "rocket"):
    print(f"{photo}: {named[photo]}")

# %% [markdown]
# A few lines, and a computer tells a cat from an espresso. It sees the tripod, not the man behind
# it: "person" is not among its thousand kinds, and a network can only answer with the words that
# it has been given. And it errs: it takes the rocket on its launch pad for a drilling platform.

# %%
import numpy as np

from tlkit import plots

# %%
picture = dict(zip(titles, photos.images, strict=True))
[top5] = tlkit.decode_predictions(network.predict(picture["cat"][None], verbose=0))
plots.predictions(picture["cat"], *zip(*top5, strict=True), title="Chelsea")

# %% [markdown]
# All that it knows is in its *weights*, some 4.7 million numbers. Let us see what the very same
# network says with random ones.

# %%
untrained = tlkit.load_backbone("efficientnet-lite0", 160, classifier=True, weights=None)
random_logits = untrained.predict(photos.images, verbose=0)
random_answers = {best for [(best, _)] in tlkit.decode_predictions(random_logits, top=1)}

# %%
print(f"{network.count_params():,} weights; {len(photos)} photographs")
print(f"{len(set(answers))} different answers with them, {len(random_answers)} with random ones")

# %%
from tlkit.course import Question, check, claim, quiz

cats = ("tabby", "tiger cat", "Egyptian cat")
claim(
    "the pretrained network calls the cat a cat, and the coffee an espresso",
    named["cat"] in cats and named["coffee"] == "espresso",
    f"{named['cat']}, {named['coffee']}",
)

# %%
claim(
    "with random weights it tells fewer photographs apart",
    len(random_answers) < len(set(answers)),
    f"{len(random_answers)} against {len(set(answers))}",
)

# %% [markdown]
# That is what *pretrained* means: a known point to start from, instead of random values.

# %% [markdown]
# ## Your own question
#
# How do you build an image classifier that trains in minutes, on a laptop, from very little data?
# Take people who wear sunglasses or a hat. They are drawings, which the network has hardly met.

# %%
people = tlkit.load_dataset("sunglasses-or-hat", n=400, image_size=128, seed=1)
pool, test = people.split(train=200, seed=0)
train = pool.take(60, seed=0)
train.show()

# %% [markdown]
# **Sixty** labelled pictures to learn from; two hundred fresh ones to be tested on. Do not look
# for an easy trick: size, place, tilt and background vary, and four in ten of those with a hat wear
# ordinary glasses.
#
# Step one: the network *without* its last layer turns each picture into 1,280 **maps**, one for
# each thing that it looks for. A map is a small grid of numbers, here four by four: how much of
# that thing is in each part of the picture. The averages of the maps are the picture's
# **features**. The network stays **frozen**: none of its weights changes.

# %%
base = tlkit.load_backbone("efficientnet-lite0", image_size=128)
maps = base.predict(train.images, verbose=0)
features = maps.mean(axis=(1, 2))
print(train.images.shape, "→", maps.shape, "→", features.shape)

# %% [markdown]
# Step two: one new layer, our **head**, learns to tell the two classes apart by these numbers. It
# is *dense*: each feature is multiplied by a weight and all are added up, once for each class,
# and the larger sum wins. The **loss** says how wrong the sums are, **Adam** changes the weights
# to lower it, and each round through the pictures is an **epoch**.

# %% tags=["row-A9"]
import keras

head = keras.Sequential([keras.layers.Dense(2, kernel_initializer="zeros")])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
head.compile(keras.optimizers.Adam(0.01), loss)
head.fit(features, train.labels, epochs=30, verbose=0)

test_features = base.predict(test.images, verbose=0).mean(axis=(1, 2))
guesses = head.predict(test_features, verbose=0).argmax(axis=1)
print(f"{(guesses == test.labels).mean():.0%} of the fresh pictures are right")

# %% [markdown]
# You have just trained an image classifier, in seconds, from sixty pictures.
#
# From here on the helpers of this course do it for us. `extract_features` runs the frozen network
# faster, and keeps its answers on disk. `fit_linear_head` fits the same kind of head in another
# way (logistic regression), so its score differs a little. And `score` says how sure a score is.

# %%
from tlkit.scores import score

quick_head = tlkit.fit_linear_head(tlkit.extract_features(base, train.images), train.labels)

# %%
test_features = tlkit.extract_features(base, test.images)
transfer = score(test.labels, quick_head.predict(test_features, verbose=0))
print(transfer)

# %% [markdown]
# Is it the *pretraining* that does it? The same network with random weights, and the same kind of
# head, is the control.

# %%
blank = tlkit.load_backbone("efficientnet-lite0", image_size=128, weights=None)
blank_head = tlkit.fit_linear_head(tlkit.extract_features(blank, train.images), train.labels)
blank_features = tlkit.extract_features(blank, test.images)
control = score(test.labels, blank_head.predict(blank_features, verbose=0))

# %%
claim(
    "frozen pretrained features beat frozen random ones by 15 points and more",
    transfer.accuracy - control.accuracy,
    f"{transfer.accuracy:.0%} against {control.accuracy:.0%}",
    above=0.15,
)

# %% [markdown]
# And a small network of our own, trained from nothing on the same sixty pictures? It has all it
# takes: convolutions extract, pooling condenses, a dense layer decides, and all are learnt
# together, end to end.

# %%
from keras import layers

keras.utils.set_random_seed(0)
small = keras.Sequential([keras.Input((128, 128, 3)), layers.Rescaling(1 / 255)])
for channels in (16, 32, 64):
    small.add(layers.Conv2D(channels, 3, strides=2, activation="relu"))
small.add(layers.GlobalAveragePooling2D())
small.add(layers.Dense(2))
small.compile("adam", loss)
small.fit(train.images, train.labels, batch_size=16, epochs=25, verbose=0)
scratch = score(test.labels, small.predict(test.images, verbose=0))

# %%
claim(
    "from sixty pictures, the borrowed network beats the small one from scratch by far",
    transfer.accuracy - scratch.accuracy,
    f"{transfer.accuracy:.0%} against {scratch.accuracy:.0%}",
    above=0.12,
)

# %%
runs = {"pretrained features": transfer, "random features": control, "from scratch": scratch}
plots.bars_with_intervals(
    list(runs),
    [run.accuracy for run in runs.values()],
    [run[1:3] for run in runs.values()],
    value_label="accuracy on 200 fresh pictures",
    percent=True,
)

# %% [markdown]
# The thin lines are 95 % intervals: with two hundred test pictures a score is only known to
# within three to seven points, and luck with the sixty pictures is not in it. Guessing gives 50
# %. (The *same* large network trained from scratch, a fairer and slower rival, has its turn in
# lesson 3.)

# %% [markdown] tags=["row-A3"]
# ## What just happened
#
# **Transfer learning** uses what was learnt on one problem for another one.
#
# | | source | target |
# |:--|:--|:--|
# | **data** | 1.3 million photographs (ImageNet) | 60 drawings of people |
# | **task** | name one of 1,000 kinds | sunglasses, or a hat? |
#
# Three things can travel: **features** (as above: the network stays frozen), **initial weights**
# (it goes on learning, lesson 4), or **outputs** (another network imitates it, lesson 6).

# %% [markdown] tags=["row-A2"]
# A village needs a brain surgeon and has none. It would rather send its heart surgeon to be
# retrained than a baker: hygiene, anatomy and a steady hand carry over.
#
# The analogy breaks in three places. A network can be *copied*, so the heart ward keeps its
# surgeon. A surgeon knows when a case is strange; a network answers all the same. And a surgeon's
# old habits rarely harm, while old features sometimes do (lesson 4).

# %% [markdown]
# ## Why not from nothing?
#
# VGG-16 was a famous network of 2014: thirteen convolutions and three dense layers. How many
# numbers must be found to train it for *two* classes? Each filter has a weight for each number
# that it sees, and a bias.

# %%
import itertools


def vgg16_parameters(classes):
    widths = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    convolutions = sum(3 * 3 * a * b + b for a, b in itertools.pairwise(widths))
    sizes = [7 * 7 * 512, 4096, 4096, classes]
    return convolutions + sum(a * b + b for a, b in itertools.pairwise(sizes))


# %% tags=["row-A1", "nbval-check-output"]
print(f"{vgg16_parameters(classes=2):,} parameters")
print(f"{vgg16_parameters(classes=2) // 300:,} for each of 300 pictures")
print(f"{head.count_params():,} in the head that you have just trained")

# %% [markdown]
# A published lecture slide prints 134,268,737. Count again: it is 134,268,738. Even slides can be
# off by one. Can we trust our own count? With 1,000 classes, Keras's VGG-16 must agree.

# %% tags=["nbval-check-output"]
published = tlkit.backbone_card("VGG16")["parameters"]
claim(
    "our count for 1,000 classes is that of Keras",
    vgg16_parameters(1000) == published,
    f"{published:,}",
)
claim("the slide is off by one", vgg16_parameters(2) - 134_268_737 == 1)

# %% [markdown]
# Now think of a few hundred pictures of a rare animal: nearly half a million unknowns for each
# picture. From scratch you would need data, time and money, and most people have none of them.
#
# But must it be a million labels? Here is what you get with 10, 20, 60 and 200.

# %%
counts, few_labels = [10, 20, 60, 200], []

# %% tags=["row-A14"]
for count in counts:
    some = pool.take(count, seed=0)
    some_head = tlkit.fit_linear_head(tlkit.extract_features(base, some.images), some.labels)
    few_labels.append(score(test.labels, some_head.predict(test_features, verbose=0)))

# %%
plots.curve(
    counts,
    [s.accuracy for s in few_labels],
    ["transfer"],
    [[s.low for s in few_labels], [s.high for s in few_labels]],
    x_label="labelled pictures",
    y_label="accuracy",
    log_x=True,
    percent=True,
)

# %%
claim(
    "200 labels are worth more than 10, by 8 points at least",
    few_labels[-1].accuracy - few_labels[0].accuracy,
    f"{few_labels[-1].accuracy:.0%} against {few_labels[0].accuracy:.0%}",
    above=0.08,
)

# %%
claim("sixty labels are enough for three pictures in four", few_labels[2].accuracy, above=0.75)

# %% [markdown]
# "No deep learning without a million labels" is a myth. *You* don't need them. In the first two of
# the three things that people do instead, somebody else had labels; in the third, nobody had:
#
# - take a **nearby objective whose labels are cheap**, such as the hashtags under 3.5 billion
#   pictures (Mahajan et al. 2018, arXiv 1805.00932);
# - take **representations from a related task**, as we did;
# - learn **representations from unlabelled data**: word vectors did it for language, and
#   lesson 2 does it with an autoencoder.

# %% [markdown]
# ## The convolutional network in two minutes
#
# A **kernel** is a small table of weights. It slides over the picture; at each place, weights and
# pixels are multiplied and added up. Choose a kernel and see what it answers to.

# %%
from scipy.ndimage import correlate

from tlkit.course import explore

sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
kernels = {
    "left-right edges": sobel,
    "up-down edges": sobel.T,
    "blur": np.ones((3, 3)) / 9,
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
}
grey = picture["camera"].mean(axis=-1)


# %% tags=["row-A12"]
def slide(kernel="left-right edges", times=1):
    answer = np.clip(np.abs(times * correlate(grey, kernels[kernel])), 0, 255)
    return plots.image_grid([grey, answer], ["the picture", kernel], columns=2)


explore(slide, kernel=list(kernels), times=(1, 4))

# %% [markdown]
# People wrote such kernels by hand for decades. The new idea was: **learn the filters instead of
# writing them**. We show a single convolution eleven pictures and the answers of the edge kernel,
# but not the kernel. Can it find out?

# %%
grey_photos = photos.images[:, ::2, ::2].mean(axis=-1) / 255 - 0.5
wanted = np.stack([correlate(photo, sobel)[1:-1, 1:-1] for photo in grey_photos])
keras.utils.set_random_seed(1)
convolution = keras.Sequential([layers.Conv2D(1, 3, use_bias=False)])
convolution.compile(keras.optimizers.Adam(0.2), "mse")
convolution.fit(grey_photos[..., None], wanted[..., None], batch_size=1, epochs=30, verbose=0)
learnt = convolution.get_weights()[0][:, :, 0, 0]
print(learnt.round(1) + 0.0)

# %%
likeness = np.corrcoef(learnt.ravel(), sobel.ravel())[0, 1]
claim(
    "the convolution has found the edge kernel from its answers alone",
    likeness,
    f"correlation {likeness:.3f}",
    above=0.95,
)

# %% [markdown]
# Stack a few dozen layers of such filters, and let each look at the answers of the one before.
# After most layers negative numbers become 0 (a *ReLU*; ours also cuts off what lies above 6).
# Without such a bend a stack of filters would be no more than one large filter. That is a
# convolutional network.

# %% [markdown]
# ## Look inside
#
# Nobody wrote the 32 filters of our network's first layer, either. Grey means zero.

# %% tags=["row-A7"]
first = network.get_layer("stem_conv").get_weights()[0]
plots.filters(first)

# %% [markdown]
# Some are edges: light on one side, dark on the other. Some are plain spots of colour. Random
# filters would be confetti: no weight would know its neighbour.


# %%
def neighbours_agree(filters):
    return np.corrcoef(filters[:, :-1].ravel(), filters[:, 1:].ravel())[0, 1]


# %%
confetti = blank.get_layer("stem_conv").get_weights()[0]
claim(
    "in trained filters, neighbouring weights agree; in random ones they do not",
    neighbours_agree(first) > 0.3 > neighbours_agree(confetti),
    f"correlation {neighbours_agree(first):.2f} against {neighbours_agree(confetti):.2f}",
)

# %% [markdown]
# What do *later* layers look for? A **channel** is what makes one map of a layer: one thing that it
# looks for. Start from noise, and change the picture, step by step, so that one channel responds
# more and more: **activation maximisation**. One row for each of three layers, from early to late.

# %%
from tlkit import explain

dreams = [
    explain.maximise_activation(base, layer, [0, 1, 2, 3, 4], steps=32)
    for layer in ("block_01", "block_08", "features")
]
plots.image_grid(
    np.concatenate(dreams),
    columns=5,
    caption="What excites five channels of block_01, block_08 and features.",
)

# %% [markdown]
# Stripes and grains first, then curls and patterns. The last row is hard to read: now and then
# there is something like an eye or a shell, and much of it is tangle. So now the other way round:
# of all places in our photographs, which excite a channel most?

# %%
large = tlkit.load_dataset("photos", image_size=512).images
steps = range(0, 512, 128)
tiles = np.concatenate([large[:, y : y + 128, x : x + 128] for y in steps for x in steps])
found = [
    explain.strongest_patches(base, tiles, layer, channel, n=6, patch=48)
    for layer, channel in (("block_02", 12), ("block_08", 10))
]
plots.image_grid(
    np.concatenate([row.patches for row in found]),
    columns=6,
    caption="Channel 12 of block_02 (above) and channel 10 of block_08 (below).",
)

# %% [markdown]
# The early channel asks for edges that fall to the right, whatever they are made of: grass, a
# cup's rim, the leg of a tripod. The later one likes things that stand upright: the tripod, or
# the rocket's tower.
#
# Is there a late channel for *sunglasses*? We look for the one that tells our sixty pictures
# apart best.

# %%
wears = features[train.labels == 0], features[train.labels == 1]
apart = [np.mean(a[:, None] > b) for a, b in zip(wears[0].T, wears[1].T, strict=True)]
channel = int(np.argmax(apart))
shades = explain.strongest_patches(base, test.images, "features", channel, n=12, patch=64)
plots.image_grid(
    shades.patches, columns=6, caption=f"Where channel {channel} of the last layer responds most."
)

# %% [markdown]
# The network was never trained on these drawings; we only picked this channel, out of 1,280, by our
# sixty labels. Not all of the patches show sunglasses. Yet on the fresh pictures, which had no part
# in the choice, this one number alone is usually larger for sunglasses than for a hat.

# %%
one = test_features[:, channel]
chance = np.mean(one[test.labels == 0][:, None] > one[test.labels == 1])
claim(
    "a channel nobody trained for it tells sunglasses from hats",
    chance,
    f"larger for the sunglasses in {chance:.0%} of all pairs; 50 % would be chance",
    above=0.65,
)

# %% [markdown]
# ### From general to specific
#
# The usual story: early layers see **edges and colours**; then come **textures and patterns**, then
# **parts**, then **whole objects**, and at the very end **classes**. You have seen its beginning
# above. One reason for it is how much of the picture each number in a map can depend on.


# %%
def sees(layer_name, side=3, step=2):  # the stem: a 3 by 3 kernel in steps of 2
    for layer in network.layers:
        if "depthwise_conv" in layer.name:  # the only others that look at neighbours
            side += (layer.kernel_size[0] - 1) * step
            step *= layer.strides[0]
        if layer.name == layer_name:
            return side


# %% tags=["row-A6", "nbval-check-output"]
for name in ("stem", "block_02", "block_05", "block_10", "features"):
    channels = network.get_layer(name).output.shape[-1]
    print(f"{name:9} {channels:5} channels see {sees(name):4} pixels")

# %%
claim(
    "the first layer sees three pixels, and the last one more than the whole picture",
    sees("stem") == 3 and sees("features") > 160,
    f"{sees('stem')} and {sees('features')} pixels",
)

# %% [markdown]
# Many books say *top* and *bottom* layers, and mean opposite things. This course says **early**
# (near the picture) and **late** (near the answer).

# %% [markdown]
# ### Why it works at all
#
# Train networks on different sets of natural pictures, and their first layers come out much alike:
# edges and blobs of colour (as Yosinski et al. 2014 remark, arXiv 1411.1792). So they can be
# reused. How far does that reach? Let us try handwritten digits, a long way from photographs, with
# 100 labels and features from the middle of the network.

# %%
known, fresh = tlkit.load_dataset("digits", n=300, image_size=128).split(train=100, seed=0)


def digit_accuracy(model, layer):
    head = tlkit.fit_linear_head(tlkit.extract_features(model, known.images, layer), known.labels)
    logits = head.predict(tlkit.extract_features(model, fresh.images, layer), verbose=0)
    return score(fresh.labels, logits).accuracy


# %% tags=["row-A5"]
middle, random_middle = digit_accuracy(base, "block_08"), digit_accuracy(blank, "block_08")
claim(
    "for digits, pretrained features from the middle beat random ones",
    middle - random_middle,
    f"{middle:.0%} against {random_middle:.0%}",
    above=0.08,
)

# %% [markdown]
# What was learnt on photographs helps to read digits, at least in the middle of the network, before
# it begins to think in cats and cups. Lesson 2 asks which layer is best for what.

# %% [markdown]
# ## The family tree
#
# Which network should one borrow? Here are seven, from 1998 to 2020. Each is built and run in a
# process of its own, so that giants give their memory back. First the elders.

# %%
from tlkit.networks import family_tree, measure_costs

family = family_tree()
costs = measure_costs(["lenet5", "alexnet", "VGG16"])

# %%
costs |= measure_costs(["InceptionV3", "ResNet50", "MobileNetV2", "efficientnet-lite0"])

# %% tags=["row-A8"]
unknown = dict.fromkeys(["parameters", "multiply_adds", "milliseconds", "megabytes"], np.nan)
print("year  network              million     million      top-1     one picture  memory")
print("                           parameters  mult.-adds   published measured     measured")
for name, entry in family.items():
    entry |= costs[name] or unknown  # unknown: it did not fit into the memory
    top1 = f"{entry['top1']:.1%}".replace("nan%", "none")
    print(
        f"{entry['year']}  {entry['label']:19} {entry['parameters'] / 1e6:9.2f} "
        f"{entry['multiply_adds'] / 1e6:11.1f} {top1:>11} "
        f"{entry['milliseconds']:9.0f} ms {entry['megabytes']:7.0f} MB"
    )

# %% [markdown]
# *Top-1* is the share of 50,000 ImageNet photographs whose first answer is right, as published
# (AlexNet: Krizhevsky et al. 2012, table 2; Lite0: its release notes; the others: the table of
# Keras Applications). LeNet-5 read digits and was never tried. Memory is what building and
# running took beyond Keras itself. Each time is the median of three runs. If the computer is
# busy, even a tiny network can look slow; the multiply-adds say how much work there really is.

# %%
judged = [entry for entry in family.values() if entry["top1"] > 0 and entry["parameters"] > 0]
plots.scatter_labelled(
    [entry["parameters"] / 1e6 for entry in judged],
    [100 * entry["top1"] for entry in judged],
    [f"{entry['label']} ({entry['year']})" for entry in judged],
    log_x=True,
    x_label="million parameters",
    y_label="published top-1 accuracy in %",
)

# %% [markdown]
# Up and to the left is better. An old verdict says: *Inception wins on accuracy per parameter,
# ResNet comes second, and ensembles of both win overall.* Let us check it, and look at the measure,
# too: the last points of accuracy are the dearest, so a share *per parameter* always favours the
# smallest network. LeNet-5 would win it if anybody had tried.

# %% tags=["nbval-check-output"]
card = {name: tlkit.backbone_card(name) for name in family if name not in ("lenet5", "alexnet")}
per_million = {name: 100 * c["top1"] / (c["parameters"] / 1e6) for name, c in card.items()}
for name in sorted(per_million, key=per_million.get, reverse=True):
    print(f"{name:19} {per_million[name]:5.1f} points of accuracy per million parameters")

# %%
old = {name: value for name, value in per_million.items() if card[name]["year"] <= 2015}

# %%
claim(
    "among our three of 2014 and 2015 the verdict was right: Inception first, ResNet second",
    sorted(old, key=old.get, reverse=True)[:2] == ["InceptionV3", "ResNet50"],
)

# %%
claim(
    "three years later MobileNetV2 gets four times as much and more out of a parameter",
    per_million["MobileNetV2"] > 4 * per_million["InceptionV3"],
)

# %%
claim(
    "and our small Lite0 is more accurate than VGG-16 with a twentieth of its parameters",
    card["efficientnet-lite0"]["top1"] > card["VGG16"]["top1"]
    and 20 * card["efficientnet-lite0"]["parameters"] < card["VGG16"]["parameters"],
)

# %% [markdown]
# As for ensembles: three Inception-ResNets and one Inception v4 together reached 3.08 % *top-5*
# error (Szegedy et al. 2016, arXiv 1602.07261): the best of their day, and four times the cost.

# %% [markdown]
# ### What ResNet added
#
# A **residual connection** adds a block's input to its output: `x + f(x)`. The block only learns
# what to *change*. If it has nothing to say, its input passes through untouched. That made it
# possible to train networks of more than a hundred layers.

# %% tags=["nbval-check-output"]
x = np.array([[1.0, -2.0, 3.0]])
silent = layers.Dense(3, kernel_initializer="zeros")  # a block that has learnt nothing yet
print("plain:   ", keras.ops.convert_to_numpy(silent(x)))
print("residual:", keras.ops.convert_to_numpy(x + silent(x)))

# %% [markdown]
# Some texts call this feedback. It is not: every layer still reads only from layers before it. A
# residual network is a **feed-forward** network with shortcuts. How many has ours?

# %% tags=["nbval-check-output"]
place = {layer.name: number for number, layer in enumerate(network.layers)}
sources = {
    layer.name: [origin._keras_history.operation.name for origin in keras.tree.flatten(layer.input)]
    for layer in network.layers[1:]
}
shortcuts = [name for name, origins in sources.items() if len(origins) == 2]
print(len(shortcuts), "shortcuts")

# %%
claim(
    "every layer reads only from earlier layers",
    all(place[origin] < place[name] for name in sources for origin in sources[name]),
)

# %% [markdown]
# ### What training took when they were new

# %%
for entry in family.values():
    print(f"{entry['label']}: {entry['hardware']}, {entry['time']}")
    print(f"    {entry['source']}")

# %% [markdown]
# And on *your* computer? VGG-16 saw 1.28 million pictures 74 times (its section 3.1). A training
# step costs about three times an answer: once forwards, twice backwards.

# %%
seconds = 3 * 74 * 1.28e6 * family["VGG16"]["milliseconds"] / 1000
print(f"VGG-16 from scratch, on this computer: about {seconds / 86400:.0f} days")
print(f"multiply-adds, VGG-16 against LeNet-5: {card['VGG16']['multiply_adds'] / 416520:,.0f} to 1")

# %% [markdown]
# ## ImageNet, the source of it all
#
# - 14,197,122 labelled pictures of 21,841 kinds, with boxes drawn around the objects in 1,034,908
#   of them (image-net.org, statistics of 2010).
# - The yearly **challenge** used 1,000 kinds, with 1.28 million pictures to learn from
#   (Russakovsky et al. 2015, arXiv 1409.0575).
# - A **human** made 5.1 % errors with five guesses a picture (same paper, section 6.4). That was
#   *one* expert, who had practised. Networks passed it in 2015, with 4.94 % (He et al., arXiv
#   1502.01852).

# %% [markdown]
# Does such a network *only* know its pictures by heart? No: it is judged on pictures that it was
# not trained on. But does it look at the right thing? *Saliency maps* (Simonyan et al. 2013,
# arXiv 1312.6034) show which pixels matter. Here is a cousin, Grad-CAM: where is the evidence for
# "tripod"?

# %%
camera = picture["camera"]
heat = explain.grad_cam(network, camera)
plots.heat_overlay(camera, heat, title=f"evidence for “{named['camera']}”")

# %% [markdown]
# And *ablations*: take something away and see what is lost. We cover a fifth of the picture with
# grey, once where the evidence is and once where it is not.

# %%
hot, cold = heat >= np.quantile(heat, 0.8), heat <= np.quantile(heat, 0.2)
covered = np.stack([camera, camera, camera])
covered[1][hot], covered[2][cold] = 127, 127
plots.image_grid(covered, ["the picture", "its evidence covered", "another fifth covered"], 3)

# %% tags=["row-A13"]
after = tlkit.decode_predictions(network.predict(covered, verbose=0), top=1000)
whole, without, elsewhere = (dict(kinds)[named["camera"]] for kinds in after)
claim(
    "without its evidence the network no longer says tripod; without other places it does",
    whole > 0.5 and without < 0.4 * whole and elsewhere > 0.6 * whole,
    f"{whole:.0%} at first, {without:.0%} and {elsewhere:.0%}",
)

# %% [markdown]
# In this photograph it looks at the right place. One photograph is no proof, but a good sign.
#
# A thousand kinds sound like a lot. Think of a rare animal, and see whether it is among them.

# %% tags=["nbval-check-output"]
[everything] = tlkit.decode_predictions(np.zeros((1, 1000)), top=1000)
kinds = [kind for kind, _ in everything]
for animal in ("aye-aye", "pangolin", "kakapo"):  # put yours here
    print(f"{animal}: {[kind for kind in kinds if animal in kind.lower()] or 'not known'}")

# %% [markdown]
# Well over a million species of animals have been described (IUCN Red List, table 1), and animals
# are only one sort of thing. For
# nearly every question that somebody may have there is no class. That is why we need *transfer*.

# %% [markdown]
# ## Where it does not help
#
# If data **and** task are of another kind altogether, there is little to carry over: a network
# that knows photographs will not manage a stock portfolio. A taste of it: shuffle the pixels of
# every picture, all in the same order. Nothing is lost, but nothing looks like a photograph.

# %%
order = np.random.default_rng(0).permutation(128 * 128)


def shuffled_features(data):
    pixels = data.images.reshape(len(data), -1, 3)[:, order]
    return tlkit.extract_features(base, pixels.reshape(data.images.shape))


# %% tags=["row-A10"]
lost_head = tlkit.fit_linear_head(shuffled_features(train), train.labels)
lost = score(test.labels, lost_head.predict(shuffled_features(test), verbose=0))
claim(
    "with shuffled pixels, transfer loses 15 points and more",
    transfer.accuracy - lost.accuracy,
    f"{lost.accuracy:.0%} instead of {transfer.accuracy:.0%}",
    above=0.15,
)

# %% [markdown]
# Lesson 4 measures this properly, with a control that tells "nothing transfers" from "nothing to
# find". The other case is a **new architecture** that no published weights fit. Then train it
# once on something general, or let it learn from an old network (lesson 6).

# %% [markdown] tags=["row-A11"]
# ## Who sold it
#
# Services promised "train your own model". Those that say how they work say: transfer learning.
# Looked up in autumn 2026:
#
# | service | what became of it |
# |:--|:--|
# | Google AutoML Vision | shut down on 31 March 2024, moved to Vertex AI ([release notes][1]) |
# | Microsoft Custom Vision | transfer learning ([data page][2]); retires 25 September 2028 |
# | Amazon SageMaker image classification | still there: transfer or full training ([docs][3]) |
#
# [1]: https://cloud.google.com/vision/automl/object-detection/docs/release-notes
# [2]: https://learn.microsoft.com/legal/cognitive-services/custom-vision/custom-vision-cvs-data-privacy-security
# [3]: https://docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html
#
# Services come and go. What you learn here runs on your own computer.

# %% [markdown] tags=["row-A15"]
# ## Who uses it
#
# | example | what was transferred |
# |:--|:--|
# | cats and dogs, from 2,000 pictures | VGG-16's features (F. Chollet, Keras blog, 2016) |
# | objects to scenes | ImageNet features, indoor scenes (Razavian et al. 2014, arXiv 1403.6382) |
# | rare animals | too few pictures of each for anything else: the case of this lesson |
# | skin cancer | Inception v3, trained on with 129,450 clinical pictures (Esteva et al. 2017) |
# | your own classes | an Inception network with a new last layer: for years *the* first exercise |

# %% [markdown]
# ## What you measured

# %%
print(f"sunglasses or hat from 60 pictures: {transfer}")
print(
    f"  the same with random weights: {control.accuracy:.0%}; small network from scratch: "
    f"{scratch.accuracy:.0%}; shuffled pixels: {lost.accuracy:.0%}"
)
print(f"  with 10, 20, 60, 200 labels: {', '.join(f'{s.accuracy:.0%}' for s in few_labels)}")
print(f"ten digits from 100 pictures: {middle:.0%} ({random_middle:.0%} with random weights)")
print(f"VGG-16 for two classes: {vgg16_parameters(2):,} parameters")

# %% [markdown]
# ## Quiz
#
# Click on an answer to see whether it is right, and why.

# %% tags=["quiz"]
quiz(
    [
        Question(
            "What did we train for sunglasses or hat?",
            [
                ("the whole network", "No: it stayed frozen. Only the new last layer learnt."),
                (
                    "one new layer on top of frozen features",
                    "Right: 2,562 numbers, fitted to the features of sixty pictures.",
                ),
                (
                    "nothing, the network knew the answer",
                    "No: none of its thousand classes means 'a hat, no sunglasses' in a drawing.",
                ),
            ],
        ),
        Question(
            "Which layers are the most general?",
            [
                ("the early ones", "Right: edges and colours are useful for nearly every picture."),
                (
                    "the late ones",
                    "No: they have become specific to the classes of the source task.",
                ),
                ("all are alike", "No: you saw stripes early on, and things with a shape late."),
            ],
        ),
        Question(
            "Why does a head for two classes on VGG-16 make so little difference to its size?",
            [
                (
                    "because two classes need no weights",
                    "No: they need 2 × 4,096 weights and two biases.",
                ),
                (
                    "because most parameters sit in the first dense layer",
                    "Right: 7 × 7 × 512 × 4,096 are more than 100 million of the 134.",
                ),
                (
                    "because convolutions are large",
                    "No: all thirteen have fewer than 15 million together.",
                ),
            ],
        ),
        Question(
            "A residual network is …",
            [
                (
                    "a feed-forward network with shortcuts",
                    "Right: layers read only from earlier ones.",
                ),
                (
                    "a network with feedback",
                    "No: nothing flows backwards when it answers; we checked.",
                ),
                (
                    "an ensemble of two networks",
                    "No: it is one network, whose blocks add to their input.",
                ),
            ],
        ),
        Question(
            "Networks have passed the human error rate on ImageNet. What was it?",
            [
                ("the error of a large crowd", "No: it was measured on one practised expert."),
                (
                    "5.1 % with five guesses, of one expert",
                    "Right: Russakovsky et al. 2015. A second, less practised person made 12 %.",
                ),
                ("zero, people make no errors", "No: try to tell 120 breeds of dogs apart."),
            ],
        ),
        Question(
            "When is transfer from photographs of least use?",
            [
                ("for drawings", "No: our people are drawings, and it worked."),
                ("when you have few labels", "No: ten labels were already better than guessing."),
                (
                    "when nothing in the pictures looks like what it has learnt from",
                    "Right: with shuffled pixels the head lost most of its lead.",
                ),
            ],
        ),
    ]
)

# %% [markdown]
# ## Exercises
#
# Replace `...` by your answer and run the cell.
#
# **1. Predict.** A kernel has a 1 in the middle and zeros around it. What does it make of a
# picture? Choose, and then try: `kernels["mine"] = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])`,
# and `slide("mine")`.

# %% tags=["exercise"]
# STUB
what_comes_out = ...  # "the same picture", "a black picture" or "only edges"
# SOLUTION
what_comes_out = "the same picture"
# END
check(
    what_comes_out,
    "the same picture",
    choices=["the same picture", "a black picture", "only edges"],
    name="Exercise 1",
    hints=[
        ("only edges", "Edges need a difference: weights of both signs."),
        ("a black picture", "Each pixel is multiplied by 1, and its neighbours by 0."),
    ],
)

# %% [markdown]
# **2. Change one value.** How many numbers would your head train for *five* classes instead of two?

# %% tags=["exercise"]
# STUB
five_classes = ...
# SOLUTION
five_classes = 1280 * 5 + 5
# END
check(
    five_classes,
    6405,
    name="Exercise 2",
    hints=[
        (6400, "Nearly. Each class has a bias, too."),
        (2562, "That is the head for two classes."),
    ],
    hint="Each of the 1,280 features has a weight for each class.",
)

# %% [markdown]
# **3. Write a function.** How many parameters has a convolution with a square kernel of `side`
# pixels that reads `maps_in` maps and makes `maps_out` of them?


# %% tags=["exercise"]
def convolution_parameters(side, maps_in, maps_out):
    # STUB
    return ...
    # SOLUTION
    return side * side * maps_in * maps_out + maps_out
    # END


check(
    convolution_parameters,
    cases=[((3, 3, 64), 1792), ((3, 64, 64), 36_928), ((1, 320, 1280), 410_880)],
    hints=[(1728, "Nearly. Each map that comes out has a bias, too.")],
    hint="Count the weights of one filter, then the filters.",
    name="Exercise 3",
)

# %% [markdown]
# **4. Look it up.** One of these rare animals *is* among the thousand kinds: okapi, axolotl,
# quokka, saola. Guess first, then search in `kinds`.

# %% tags=["exercise"]
# STUB
known_animal = ...
# SOLUTION
known_animal = next(a for a in ("okapi", "axolotl", "quokka", "saola") if a in kinds)
# END
check(
    known_animal,
    "axolotl",
    choices=["okapi", "axolotl", "quokka", "saola"],
    name="Exercise 4",
    hint="Use the loop of the section on ImageNet.",
)

# %% [markdown]
# **5. Write it yourself.** Train a head for the five groups of the `"icons"` on 150 of 300
# pictures of 128 pixels, and give its accuracy on the others, between 0 and 1.

# %% tags=["exercise"]
# STUB
my_accuracy = ...
# SOLUTION
icons = tlkit.load_dataset("icons", n=300, image_size=128)
some, others = icons.split(train=150, seed=0)
icon_head = tlkit.fit_linear_head(tlkit.extract_features(base, some.images), some.labels)
icon_logits = icon_head.predict(tlkit.extract_features(base, others.images), verbose=0)
my_accuracy = score(others.labels, icon_logits).accuracy
# END
check(
    getattr(my_accuracy, "accuracy", my_accuracy),
    lambda a: 0.5 < a < 0.97,
    name="Exercise 5",
    hints=[
        (lambda accuracy: 1 < accuracy <= 100, "Give a share between 0 and 1."),
        (lambda accuracy: accuracy >= 0.97, "Too good: test on other pictures."),
        (lambda accuracy: accuracy <= 0.5, "Are features and labels in the same order?"),
    ],
    praise="Your second classifier, for quite another question.",
)

# %% [markdown]
# ## Further reading
#
# - J. Yosinski et al. 2014, *How transferable are features in deep neural networks?*
#   [arXiv 1411.1792](https://arxiv.org/abs/1411.1792)
# - *Transfer Learning*, notes of the course [CS231n](https://cs231n.github.io/transfer-learning/)
# - F. Chollet 2016, *How convolutional neural networks see the world*, and *Building powerful
#   image classification models using very little data*, the [Keras blog](https://blog.keras.io)
# - A. Esteva et al. 2017, *Dermatologist-level classification of skin cancer with deep neural
#   networks*, Nature 542, [open copy](https://pmc.ncbi.nlm.nih.gov/articles/PMC8382232)
# - A. Karpathy 2014, [*What I learned from competing against a ConvNet on
#   ImageNet*](https://karpathy.github.io/2014/09/02/what-i-learned-from-competing-against-a-convnet-on-imagenet/)

# %% [markdown]
# ## Curriculum rows
#
# This lesson covered A1 to A15. Next: what each layer has made of a picture, in lesson 2.
