# %% [markdown]
# # 06 · Distillation
#
# The network that you fine-tuned in lesson 04a knows its job. But it is large, and so it is slow on
# a telephone. Can a network of a hundredth of its size learn the job *from it*? That is called
# **distillation**: the large network is the **teacher**, the small one the **student**, and the
# student learns what the teacher says instead of what a label says.
#
# ## What you will be able to do
#
# - teach a small network what a large one knows, in plain Keras and with Keras's own tools;
# - read the soft answers of a teacher, and soften them further with a temperature;
# - put pictures without labels to work;
# - measure what the student saves in size and time, and what it costs in accuracy;
# - say when distillation gains nothing.
#
# ## How long it takes
#
# An hour of reading and trying. Running everything takes under two minutes on two cores.
#
# ## What you need
#
# Lessons 03 and 04a. Everything is on your computer already.

# %% [markdown]
# ## A teacher and a student
#
# Two hundred people come with labels, a thousand others without. (We do know the labels of the
# thousand, for they are drawn. We lock them away until the very end.)

# %%
import tlkit
from tlkit.course import Question, check, claim, quiz
from tlkit.scores import paired_difference, score

# %%
pool = tlkit.load_dataset("sunglasses-or-hat", n=1200, image_size=96, seed=0)
test = tlkit.load_dataset("sunglasses-or-hat", n=500, image_size=96, seed=1000)
labelled, unlabelled = pool.split(train=200, seed=0)
labelled.show(6)

# %%
import keras
import numpy as np

# %% [markdown]
# The teacher is the pretrained network, fine-tuned on the two hundred labels, as in lesson 04a.

# %%
base = tlkit.load_backbone("efficientnet-lite0", image_size=96)
teacher = tlkit.fine_tune(base, labelled, learning_rate=3e-4, epochs=6, progress=False).model
by_teacher = score(test.labels, teacher.predict(test.images, verbose=0))
print(f"the teacher: {by_teacher}")

# %% [markdown]
# The student is four small convolutions and a head, with random weights. It knows nothing.

# %% tags=["nbval-check-output"]
student = tlkit.student_network("small", image_size=96)
fewer = teacher.count_params() / student.count_params()
print(f"the teacher has {teacher.count_params():,} parameters")
print(f"the student has {student.count_params():,}, {fewer:.0f} times fewer")

# %% [markdown]
# Now the lesson itself. The teacher looks at the thousand pictures without labels and says what it
# thinks. The student learns to say the same.

# %% tags=["row-F1"]
before = teacher.get_weights()
training = {"steps": 800, "learning_rate": 3e-3}  # the same for every student
tlkit.distill(teacher, student, unlabelled, **training)
by_student = score(test.labels, student.predict(test.images, verbose=0))
print(f"the student: {by_student}")

# %% [markdown]
# The two networks have not one layer in common, so nothing could be copied from one to the other.
# All that passed between them are two numbers for each picture.
#
# Is that any good? The fair comparison is its **twin**: the same student, with the same random
# weights and as many steps, that learns from the two hundred labels without any teacher. In
# `distill` that is `alpha=0`: the teacher does not count.

# %%
twin = tlkit.student_network("small", image_size=96)
tlkit.distill(teacher, twin, labelled, alpha=0, labels=labelled.labels, **training)
by_twin = score(test.labels, twin.predict(test.images, verbose=0))
print(f"its twin: {by_twin}")

# %%
claim(
    "the student of a teacher beats its twin that saw the labels alone",
    by_student.accuracy - by_twin.accuracy,
    f"{by_student.accuracy:.0%} against {by_twin.accuracy:.0%}",
    above=0.03,
)

# %%
unchanged = all(np.array_equal(a, b) for a, b in zip(before, teacher.get_weights()))
claim("the teacher has not changed", unchanged)

# %% [markdown]
# It was asked once for each picture, and its answers were kept on the disk. Asking it again at
# every step would give the same answers and take most of the time.
#
# That is distillation. Two questions are left. What does a student read in a teacher's answers that
# no label says? And was it the teacher that helped, or only the thousand pictures?

# %% [markdown]
# ## What a soft answer says
#
# With two classes there is not much to read in an answer. So we go to the handwritten digits for a
# while, with their ten classes. Their teacher is a small network, too: digits are easy.

# %%
digits = tlkit.load_dataset("digits", image_size=32, seed=0)
known, asked = digits.split(train=3500, seed=0)
digit_teacher = tlkit.small_network(image_size=32, classes=10)

# %%
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
digit_teacher.compile(keras.optimizers.Adam(2e-3), cross_entropy)
keras.utils.set_random_seed(0)
digit_teacher.fit(known.images, known.labels, batch_size=64, epochs=15, verbose=0)
logits = tlkit.extract_features(digit_teacher, asked.images)
print(f"the teacher of digits: {score(asked.labels, logits)}")

# %% [markdown]
# A label is **hard**: it says *seven*, and nothing else. A network's answer is **soft**: so much
# for seven, a little for nine, hardly anything for zero. But a good network is so sure of itself
# that the little is too little to be seen. So we divide its logits, the numbers it ends in, by a
# **temperature** before softmax makes probabilities of them.


# %%
def soft(logits, temperature):
    powers = np.exp(logits / temperature)
    return powers / powers.sum()


# %% tags=["nbval-check-output"]
three_logits = np.array([8.0, 4.0, 0.0])
for temperature in (1, 2, 4, 8):
    print(f"temperature {temperature}:", soft(three_logits, temperature).round(2))

# %% [markdown]
# At temperature 1 these are the usual probabilities. The hotter, the closer together they come,
# but their order stays. `tlkit.soften` does the same, with checks. Now with a real answer:

# %% tags=["row-F2"]
names = [f"{digit}" for digit in range(10)]


def answer(picture=0, temperature=8):
    probabilities = tlkit.soften(logits[picture], temperature)
    best = probabilities.argsort()[::-1][:5]
    shown = [names[each] for each in best], probabilities[best]
    return tlkit.plots.predictions(asked.images[picture], *shown, f"temperature {temperature}")


tlkit.course.explore(answer, picture=(0, 30), temperature=[0.5, 1, 2, 4, 8, 16])

# %% [markdown]
# In a running notebook, move the temperature down to 1, and all but the first bar vanish. Then take
# other pictures. The digits that come second and third are those that the teacher finds *similar*.
# Here are six answers at a temperature of 8.

# %%
some = [int(np.flatnonzero(asked.labels == digit)[0]) for digit in (3, 4, 5, 7, 8, 9)]


def told(picture, temperature):
    soft_answer = tlkit.soften(logits[picture], temperature)
    best = soft_answer.argsort()[::-1][:3]
    return ", ".join(f"{each}: {soft_answer[each]:.0%}" for each in best)


# %%
tlkit.plots.image_grid(
    [asked.images[each] for each in some],
    [told(each, 8) for each in some],
    columns=3,
    caption="The teacher's three likeliest answers, at temperature 8.",
)

# %%
sure = np.mean([tlkit.soften(logits[each])[asked.labels[each]] for each in some])
claim(
    "at temperature 1 it is all but certain of these six", sure, f"{sure:.1%} on average", above=0.9
)

# %% [markdown]
# No label ever told the teacher which digits look alike. It found out. That is what a student can
# read in soft answers and in no label, and Hinton called it **dark knowledge**.
#
# ### A student that never saw a three
#
# How much is in it? Here is an experiment of Hinton's. We teach a student with pictures of every
# digit *but the three*. Then we show it threes.

# %%
kept = known.labels != 3
answers = tlkit.extract_features(digit_teacher, known.images[kept])
threes = asked.labels == 3


# %%
def shown_threes(temperature):
    pupil = tlkit.small_network(image_size=32, classes=10, seed=100)
    how = {"steps": 600, "batch_size": 64, "learning_rate": 3e-3}
    tlkit.distill(answers, pupil, known.images[kept], temperature, **how)
    return score(asked.labels[threes], pupil.predict(asked.images[threes], verbose=0))


# %%
cold, hot = shown_threes(temperature=1), shown_threes(temperature=16)
print(f"threes known after lessons at temperature  1: {cold}")
print(f"threes known after lessons at temperature 16: {hot}")

# %%
claim(
    "a student that never saw a three knows threes, if its lessons were hot",
    hot.low - cold.high,
    f"{hot.accuracy:.0%}, against {cold.accuracy:.0%} when they were cold",
    above=0,
)

# %% [markdown]
# It learnt from the other digits what is a little three-like about them, and put that together. At
# temperature 1 the same teacher says the same things, but too softly for the student to hear.
#
# (`distill` took the teacher's logits here, instead of the teacher. That is allowed: it would have
# computed nothing else.)
#
# One student proves little, so here are five, each with a teacher of its own, at five
# temperatures. (`make experiments` computes this table again.)

# %%
table = tlkit.results("distillation", by=["what", "student"])


# %%
heats = [0.5, 1, 4, 16, 64]
by_heat = {
    value: np.array(
        [table.runs("teacher without threes", "digits", temperature=t, column=value) for t in heats]
    )
    for value in ("left_out", "others")
}

# %%
tlkit.plots.curve(
    heats,
    [each.mean(axis=1) for each in by_heat.values()],
    ["threes, never seen", "other digits"],
    [(each.min(axis=1), each.max(axis=1)) for each in by_heat.values()],
    x_label="temperature of the lessons",
    y_label="accuracy",
    log_x=True,
    percent=True,
)

# %% [markdown]
# The shade reaches from the worst to the best of five students. Too cold, and the threes are lost;
# the other digits do not mind. Too hot did no harm here: at 64 all is as it was at 16.

# %%
threes_known, others_known = by_heat.values()
gain = paired_difference(threes_known[3], threes_known[1])
claim("hot lessons teach the threes, over five seeds", gain.low > 0.3, str(gain))
claim("lessons at 1 or below teach none of them", threes_known[:2].max() < 0.05)
hotter = paired_difference(threes_known[4], threes_known[3])
claim("four times as hot again changes nothing sure", hotter.low < 0 < hotter.high, str(hotter))
moved = np.ptp(others_known.mean(axis=1))
claim("the other digits hardly mind", moved < 0.02, f"{100 * moved:.1f} points at most")

# %% [markdown]
# One would expect that too hot burns. But the hottest lessons only tell the student to match the
# teacher's logits themselves, and that is a fine lesson, too (Ba & Caruana, 2014).

# %% [markdown]
# ## In plain Keras
#
# What does a student minimise? The difference of two soft answers, its own and the teacher's, at
# the same temperature. The usual measure of it is the **Kullback-Leibler divergence**: it is
# nothing when the two agree, and grows as the student gives too little to what the teacher holds
# likely.


# %%
def distillation_loss(teacher_logits, student_logits, temperature=3.0):
    wanted = keras.ops.softmax(teacher_logits / temperature)
    given = keras.ops.softmax(student_logits / temperature)
    return temperature**2 * keras.losses.kl_divergence(wanted, given)


# %% [markdown]
# Why the square in front? A temperature of 3 makes the differences in the answers 3 times smaller,
# and the gradients, too, by another 3. The square puts them back, so that you can change the
# temperature and keep the learning rate.
#
# The rest is a training like any other. Only where the labels would stand, there stand the
# teacher's logits, computed once.

# %%
said = tlkit.extract_features(teacher, unlabelled.images)
by_hand = tlkit.student_network("small", image_size=96)
by_hand.compile(keras.optimizers.Adam(3e-3), distillation_loss)
falling = by_hand.fit(unlabelled.images, said, batch_size=32, epochs=10, verbose=0).history["loss"]
print("loss of each epoch:", np.round(falling, 1))

# %%
claim(
    "the loss falls",
    falling[-1] / falling[0],
    f"from {falling[0]:.1f} to {falling[-1]:.1f}",
    below=0.95,
)

# %% [markdown]
# With labels at hand you can mix: `alpha` times this loss and `1 - alpha` times the cross-entropy.
#
# ### Keras's own distiller, and its trap
#
# Keras has `keras.distillation` for this: a `Distiller` that holds teacher and student, and losses
# such as `LogitsDistillation`. `tlkit.distill` is built on them, with the checks that they lack.
# Always check a loss against your own. Here is Keras's, asked for in two ways, next to ours:

# %%
KLDivergence, Logits = keras.losses.KLDivergence, keras.distillation.LogitsDistillation
some_said = said[:8]
some_given = np.asarray(by_hand(unlabelled.images[:8].astype("float32")))
ours = float(np.mean(distillation_loss(some_said, some_given)))
by_class = float(Logits(3.0, loss=KLDivergence()).compute_loss(some_said, some_given))
by_default = float(Logits(3.0).compute_loss(some_said, some_given))
print(f"ours {ours:.3f}, Keras's by class {by_class:.3f}, by default {by_default:.3f}")

# %%
claim("named by its class, Keras's loss is ours", np.isclose(ours, by_class, rtol=1e-3))

# %% [markdown]
# If the third number is another one, you have what this course was made with, Keras 3.15. There the
# default looks right and is not: it compares the bare logits, without softmax, as if they were
# probabilities. No error is raised. `tlkit.distill` names the class.
#
# The other mistake that raises no error in plain Keras is a teacher that ends in softmax. Its
# probabilities would be taken for logits, and softened once more, until nothing is left in them.

# %% tags=["nbval-check-output"]
probabilities = tlkit.soften(said)
new = tlkit.student_network("small", image_size=96)
try:
    tlkit.distill(probabilities, new, unlabelled)
except tlkit.errors.InputError as error:
    print(error)

# %% tags=["nbval-check-output"]
other = tlkit.student_network("small", image_size=96, classes=5)
try:
    tlkit.distill(said, other, unlabelled)
except tlkit.errors.InputError as error:
    print(error)

# %% [markdown]
# ## What does it gain?
#
# Back to the people, and to five seeds. Each has pictures of its own, and a teacher fine-tuned on
# its two hundred labels. Five hundred test pictures judge them all. Every student takes the same
# eight hundred steps. Their number, the rate and the student's size were set on other seeds and
# other pictures; the temperature, 3, is Keras's default.

# %%
rows = {
    "200 labels": table.runs("200 labels", "small"),
    "teacher, same 200 pictures": table.runs("teacher on 200", "small"),
    "teacher, 1000 unlabelled": table.runs("teacher on 1000", "small"),
    "1000 labels (the ceiling)": table.runs("1000 labels", "small"),
    "the teacher itself": table.runs("teacher", "teacher"),
}


# %%
def bars(rows, title):
    means = [paired_difference(each, 0 * each) for each in rows.values()]
    return tlkit.plots.bars_with_intervals(
        list(rows),
        [each.mean for each in means],
        [(each.low, min(each.high, 1)) for each in means],
        value_label="accuracy, mean of five seeds with 95 % interval",
        percent=True,
        title=title,
    )


# %% tags=["row-F4"]
bars(rows, "The same student, taught in four ways")

# %% [markdown]
# Read it from the top. The first two students saw the same two hundred pictures, one with labels,
# one with the teacher's soft answers. Then come the thousand pictures: answered by the teacher, and
# with their true labels, which we now take out of the drawer.

# %%
alone, on_same, on_more, ceiling, teachers = rows.values()
same = paired_difference(on_same, alone)
more = paired_difference(on_more, alone)
claim("on the same pictures soft answers gain nothing sure", same.low < 0 < same.high, str(same))
claim("a thousand pictures without labels gain a lot", more.low > 0.05, str(more))

# %% [markdown]
# So here it was not the softness that helped. With two classes, and a teacher so sure of itself, a
# soft answer says little more than a label. What helped is that **the teacher turned pictures
# without labels into training data**. That is cheap: pictures without labels are everywhere, and a
# teacher does not tire.

# %%
left = paired_difference(ceiling, on_more)
ahead = paired_difference(teachers, on_more)
claim("true labels for the thousand gain nothing sure on top", left.low < 0, str(left))
claim("the teacher stays ahead of its student", ahead.low > 0.03, str(ahead))

# %% [markdown]
# And distillation is no miracle: the student stays behind its teacher. Whether that is worth it
# depends on what it saves, which we measure below.
#
# The student at the top of this page was one entry of the table: the first seed.

# %%
stored = on_more[0]
claim(
    "the live run agrees with the stored table",
    abs(by_student.accuracy - stored),
    f"live {by_student.accuracy:.1%}, stored {stored:.1%}",
    below=0.055,
)

# %% [markdown]
# ## What does it save?
#
# Now the other side of the bargain. The accuracies are those of the stored table, with a middling
# student of which more below. File and times are measured here and now, on your computer: the file
# with the weights, and the time for one picture and for each of a batch of 32.

# %%
import tempfile
import time
from pathlib import Path


def file_size(model):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.weights.h5"
        bare = keras.Model(model.inputs, model.outputs)  # without the optimizer's memory
        bare.save_weights(path)
        return path.stat().st_size / 1e6


# %%
def milliseconds(models, pictures, rounds=15):
    """For each model the median time of a picture; they take turns, so that all fare alike."""
    taken = []
    for _ in range(rounds + 2):
        clock = [time.perf_counter()]
        for model in models:
            model.predict_on_batch(pictures)
            clock.append(time.perf_counter())
        taken.append(np.diff(clock))
    return 1000 * np.median(taken[2:], axis=0) / len(pictures)  # the first two rounds warm up


# %%
def megabytes_at_work(model):
    """The weights, and every map that one picture becomes on its way."""
    maps = sum(np.prod(layer.output.shape[1:]) for layer in model.layers)
    return 4 * (model.count_params() + maps) / 1e6


# %%
middling = tlkit.student_network("middling", image_size=96)
models = {"teacher": teacher, "middling student": middling, "small student": student}
times_for = {n: milliseconds(models.values(), test.images[:n]) for n in (1, 32)}

# %% tags=["row-F3"]
right = [each.mean() for each in (teachers, table.runs("teacher on 1000", "middling"), on_more)]
print("                 accuracy  parameters     file   memory  1 picture  each of 32")
for n, (name, model) in enumerate(models.items()):
    sizes = right[n], model.count_params(), file_size(model), megabytes_at_work(model)
    spent = times_for[1][n], times_for[32][n]
    print("{:16} {:7.0%} {:12,} {:5.1f} MB {:5.1f} MB".format(name, *sizes), end="")
    print("{:8.1f} ms {:8.2f} ms".format(*spent))

# %%
one, many = (times_for[n][0] / times_for[n][2] for n in (1, 32))
smaller = file_size(teacher) / file_size(student)
claim("the student's file is far smaller", smaller > 20, f"{smaller:.0f} times")
print(f"it answered one picture {one:.1f} times as fast, and a batch {many:.0f} times")
lighter = tlkit.multiply_adds(teacher) / tlkit.multiply_adds(student)
claim("and takes far fewer multiply-adds", lighter > 20, f"{lighter:.0f} times fewer")

# %% [markdown]
# A picture that comes alone costs the student far more than one in a batch: most of that is Keras's
# own housekeeping, not the network. (Memory counts the weights and every map that one picture
# becomes; a clever program frees the early ones on the way. `benchmarks/distillation.py` measures
# the peak of the whole process.)

# %% [markdown]
# ## When it fails
#
# One failure you have met: at a temperature that is too low, soft answers are as hard as labels.
#
# ### A teacher that is wrong
#
# A student believes everything. Here the teacher's head was fitted to the same two hundred pictures
# with their labels dealt out at random. Its student does all that the others did.

# %%
wrong = table.runs("wrong teacher on 1000", "small")
wrong_teacher = table.runs("wrong teacher", "teacher")
print(f"the wrong teacher: {wrong_teacher.mean():.1%}, its students: {wrong.mean():.1%}")

# %%
apart = np.abs(wrong - wrong_teacher).max()
claim("the students of wrong teachers only guess", 0.4 < wrong.mean() < 0.6, f"{wrong.mean():.0%}")
claim("each is as wrong as its own teacher", apart < 0.1, f"{100 * apart:.0f} points off at most")

# %% [markdown]
# A student has no labels to notice anything with. So test the teacher before you let it teach, and
# test the student on labelled pictures that neither of them has seen.
#
# ### A student that is too small, and one of another family
#
# The same teachers and the same thousand pictures for other students. **Tiny** has a thousand
# parameters. **Patches** is built in another way altogether: it cuts the picture into squares of 12
# pixels and mixes these (an MLP-Mixer). Its twin learnt from the two hundred labels.

# %%
kinds = {"tiny": "tiny", "small": "small", "patches": "patches"}
taught = {kind: table.runs("teacher on 1000", kind) for kind in kinds}
gains = {k: paired_difference(taught[k], table.runs("200 labels", k)) for k in kinds}

# %% tags=["row-F5", "nbval-check-output"]
for kind, gain in gains.items():
    parameters = tlkit.student_network(kind, image_size=96).count_params()
    twins = table.runs("200 labels", kind).mean()
    print(f"{kind:8} {parameters:6,} parameters: {twins:.1%} from labels,", end=" ")
    print(f"{taught[kind].mean():.1%} from the teacher")
    print(f"{'':8} gain {gain}")

# %%
claim("every one of them gains by having a teacher", min(g.low for g in gains.values()) > 0.01)
behind = paired_difference(taught["small"], taught["tiny"])
claim("but the tiny one stays behind the small one", behind.low > 0.03, str(behind))
unlike = paired_difference(taught["small"], taught["patches"])
claim("and so does the one that looks at patches", unlike.low > 0.05, str(unlike))

# %% [markdown]
# Distilling across families works: any network can learn from any other. But a teacher does not
# make a student able. Here is how well each learnt its own thousand pictures.

# %% tags=["nbval-check-output"]
for kind in kinds:
    own, new = table.runs("teacher on 1000", kind, column="train").mean(), taught[kind].mean()
    print(f"{kind:8} right on its thousand pictures {own:.0%}, on new ones {new:.0%}")

# %% [markdown]
# The tiny one cannot even hold what it was told: it is **too small**. The one with patches holds
# nearly all of it, and carries little of it over to new pictures. Perhaps that is because a
# convolution treats all places alike, while patches have to learn that a hat may sit anywhere.
#
# Is larger better, then? **Middling** has four times the parameters of the small one.

# %%
larger = table.runs("teacher on 1000", "middling")
closer = paired_difference(larger, on_more)
print(f"middling: {larger.mean():.1%}, which is {closer} on the small one")
claim("it is ahead on average, but five seeds are too few to be sure", closer.low < 0 < closer.mean)

# %% [markdown]
# ### Features instead of answers
#
# A student can also be taught to *see* as the teacher sees. **Feature distillation** compares what
# the two have just before their heads (FitNets, 2015). The teacher has 1280 numbers there, the
# small student 64. So a layer in between translates, and is thrown away afterwards. In Keras that
# is `FeatureDistillation`, in the same `Distiller`. One student had to match answers and features
# at once. Another matched features alone, and its head was fitted afterwards, on the teacher's
# answers.

# %%
ways = {
    "answers": on_more,
    "answers and features": table.runs("outputs and features", "small"),
    "features, then a head": table.runs("features, then a head", "small"),
}
bars(ways, "What the small student is asked to match")

# %%
extra = [paired_difference(each, on_more) for each in list(ways.values())[1:]]
claim("features add nothing sure to answers", all(e.low < 0 < e.high for e in extra), str(extra[0]))

# %% [markdown]
# Here it does not matter which of the two is matched. Answers are simpler: no layer has to be
# chosen and none to be thrown away.

# %% [markdown]
# ## What you measured
#
# - A student of 25 thousand parameters learnt from a teacher of 3.4 million, with which it shares
#   nothing, and gained 12 points on its twin that had the 200 labels alone.
# - The whole gain came from the thousand pictures without labels. On the same 200 pictures soft
#   answers were worth no more than labels.
# - True labels for the thousand would not have been surely better. The teacher itself stayed 11
#   points ahead.
# - Soft answers do hold more than labels where there are more classes: a student that never saw a
#   three knew two threes in three, when its lessons were hot, and none when they were cold.
# - Students of wrong teachers were wrong, a tiny student could not hold its lesson, and matching
#   features gained nothing over matching answers.

# %%
gained, missing, known_threes = 100 * more.mean, 100 * ahead.mean, threes_known[3].mean()
claim("it gained about 12 points", 11 < gained < 13, f"{gained:.1f}")
claim("the teacher is about 11 ahead", 10 < missing < 12, f"{missing:.1f}")
claim("two threes in three", 0.6 < known_threes < 0.73, f"{known_threes:.0%}")

# %% [markdown]
# ## Quiz

# %% tags=["quiz"]
quiz(
    [
        Question(
            "A teacher and a student share no layer. What passes from one to the other?",
            [
                ("the weights of the early layers", "No: they would not even fit."),
                ("the teacher's answers, a row of logits for each picture", "Right: nothing else."),
                ("the teacher's labels from its own training", "No: the student never sees them."),
            ],
        ),
        Question(
            "You raise the temperature from 1 to 8. What happens to the teacher's answer?",
            [
                (
                    "its probabilities come closer together, in the same order",
                    "Right: all logits are divided by the same number.",
                ),
                ("another class becomes the likeliest", "No: dividing does not change the order."),
                ("it becomes more often right", "No: the likeliest class stays the likeliest."),
            ],
        ),
        Question(
            "A student was never shown a three, and still knows threes. Where from?",
            [
                ("from its random weights", "No: its twin with hard labels knew none."),
                (
                    "from soft answers about other digits, in which a little three is left",
                    "Right: and at a low temperature that little is too little.",
                ),
                ("the teacher sent it pictures", "No: a teacher sends answers only."),
            ],
        ),
        Question(
            "You have 200 labels, a good teacher and a disk full of pictures without labels. What "
            "do you teach the student with?",
            [
                ("the 200 labelled pictures only", "No: you leave the cheapest data unused."),
                (
                    "the pictures without labels, answered by the teacher",
                    "Right: here that was where the gain came from.",
                ),
                ("nothing before a human labels them", "No: the teacher answers them for free."),
            ],
        ),
        Question(
            "Your teacher ends in softmax, and you pass its outputs as logits. What happens?",
            [
                ("an error from Keras", "No: numbers are numbers. `tlkit` does check."),
                ("nothing: softmax changes nothing twice", "No: 1 and 0 become 73 and 27 %."),
                (
                    "the answers are softened twice, and hardly anything is left in them",
                    "Right: probabilities lie within 0 and 1, so their softmax is nearly even.",
                ),
            ],
        ),
        Question(
            "Teacher 96 %, student 85 %, its twin from the labels 73 %. What did distillation with "
            "unlabelled pictures gain?",
            [
                ("12 points", "Right: student against twin, the same network."),
                ("23 points", "No: the teacher is another network, and too large for the job."),
                ("nothing: the student is below its teacher", "No: the teacher was no option."),
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
# **1. Predict, then count.** Two classes have the logits 4 and 2. At temperature 1 the first is
# e² ≈ 7.4 times as likely as the second. How many times at temperature 2?

# %% tags=["exercise"]
# STUB
times_as_likely = ...
# SOLUTION
times_as_likely = np.exp((4 - 2) / 2)
# END
check(
    times_as_likely,
    np.e,
    tolerance=0.01,
    hints=[
        (3.69, "Not half of 7.4: the temperature divides the logits, before the exponential."),
        (54.6, "Higher means closer together. Divide by the temperature, do not multiply."),
        (2, "That is the difference of the logits. Now divide by 2 and take the exponential."),
    ],
    hint="The ratio of two probabilities is np.exp of the difference of their logits.",
    name="Exercise 1",
)

# %% [markdown]
# **2. Change one value.** A teacher gives the logits 6, 2 and 1. Find a temperature at which its
# first class gets between 50 and 60 %.

# %% tags=["exercise"]
# STUB
warm = ...
# SOLUTION
warm = 5
# END
check(
    warm,
    lambda answer: 0.5 <= tlkit.soften([6.0, 2.0, 1.0], answer)[0] <= 0.6,
    hints=[
        (1, "That is as sure as it gets without a change: 98 %."),
        (lambda answer: 0 < answer < 4.3, "Still too sure. Hotter."),
        (lambda answer: answer > 6.7, "Too even. Colder."),
    ],
    hint="Look at tlkit.soften([6, 2, 1], temperature) for some temperatures above 1.",
    name="Exercise 2",
)

# %% [markdown]
# **3. Mend a teacher.** All you have of a teacher are its probabilities, as below. Make logits of
# them that `distill` can take: numbers whose softmax gives these probabilities back.

# %% tags=["exercise"]
kept_probabilities = np.array([[0.90, 0.07, 0.03], [0.20, 0.50, 0.30]])
# STUB
mended = ...
# SOLUTION
mended = np.log(kept_probabilities)
# END
check(
    mended,
    lambda answer: np.allclose(tlkit.soften(answer), kept_probabilities, atol=1e-3),
    hints=[
        (kept_probabilities, "Their softmax is another one: look at tlkit.soften(mended)."),
        (np.exp(kept_probabilities), "Softmax takes the exponential. Undo it, do not repeat it."),
    ],
    hint="Softmax takes exponentials. What undoes an exponential?",
    name="Exercise 3",
)

# %% [markdown]
# **4. Write it yourself.** The divergence of two answers in NumPy: the sum, over the classes, of
# `wanted * log(wanted / given)`, where both are softened logits, times the temperature squared.


# %% tags=["exercise"]
# STUB
def divergence(teacher_logits, student_logits, temperature):
    """How far the student's softened answer is from the teacher's."""
    return ...


# SOLUTION
def divergence(teacher_logits, student_logits, temperature):
    """How far the student's softened answer is from the teacher's."""
    wanted = tlkit.soften(teacher_logits, temperature)
    given = tlkit.soften(student_logits, temperature)
    return temperature**2 * np.sum(wanted * np.log(wanted / given))


# END


check(
    divergence,
    cases=[
        (([2.0, 0.0], [2.0, 0.0], 3.0), 0.0),
        (([2.0, 0.0], [0.0, 0.0], 1.0), 0.3278),
        (([2.0, 0.0], [0.0, 0.0], 2.0), 0.4438),
    ],
    tolerance=1e-3,
    hint="Soften both with tlkit.soften; mind which one stands in the fraction's numerator.",
    name="Exercise 4",
)

# %% [markdown]
# **5. On your own.** Teach `tlkit.student_network("middling", image_size=96)` with the same
# training. Before you look: will it come closer to the teacher than the small one, and what does
# the table of sizes say about the price?

# %% [markdown]
# ## Further reading
#
# - Hinton, Vinyals & Dean 2015, *Distilling the Knowledge in a Neural Network*, for soft targets,
#   the temperature and the missing threes: <https://arxiv.org/abs/1503.02531>
# - Ba & Caruana 2014, *Do Deep Nets Really Need to be Deep?*, who match logits directly:
#   <https://arxiv.org/abs/1312.6184>
# - Romero et al. 2015, *FitNets: Hints for Thin Deep Nets*, who match features:
#   <https://arxiv.org/abs/1412.6550>
#
# ## Curriculum rows
#
# This lesson covered F1 to F5.
