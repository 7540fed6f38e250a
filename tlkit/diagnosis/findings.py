"""What `diagnose` can find, in words."""

from tlkit.findings import Finding

# name: severity, what it means, the mend
KNOWN = {
    "batch norm will move": (
        "warning",
        "{count} batch-norm layers hold statistics of the pictures the network learnt from. In "
        "training they drift towards those of your batches, and its weights fit them no more.",
        "After unfreezing, set trainable = False on every batch-norm layer, as tlkit.unfreeze "
        "does, and compile again.",
    ),
    "trainable changed since compile": (
        "error",
        "{count} weights were frozen or unfrozen after the model had been compiled and trained. "
        "fit goes on with the old choice and does not say so.",
        "Compile the model again.",
    ),
    "everything is frozen": (
        "error",
        "This model was compiled to be trained, and no weight of it can change: fit does nothing.",
        "Set trainable = True on the head at least, or call tlkit.unfreeze; compile again.",
    ),
    "ready for use": (
        "note",
        "Everything is frozen: right for a finished model. To train it on, call tlkit.unfreeze.",
        "",
    ),
    "nothing is frozen": (
        "warning",
        "Every layer of a pretrained network would train at once, below a head that knows "
        "nothing yet.",
        "Freeze the network (base.trainable = False), compile, and train the head first.",
    ),
    "only the head trains": (
        "warning",
        "The rate, {rate:g}, is one for fine-tuning, but all that was pretrained is frozen. The "
        "head alone will hardly get anywhere at such a rate.",
        "Call tlkit.unfreeze and compile again; or train the head at a rate near 1e-3.",
    ),
    "inputs scaled twice": (
        "error",
        "Your pictures arrive at the first trained layer {ratio:.0g} times as strong as they "
        "should be: the model sees almost nothing of them.",
        "Scale them once: give the model the range it was built for. Backbones of tlkit take "
        "0–255.",
    ),
    "inputs not scaled": (
        "error",
        "Your pictures arrive at the first trained layer unscaled, with values up to {high:.0f}; "
        "it was made for values near 1.",
        "Put a keras.layers.Rescaling, or the network's own preprocess_input, before that layer.",
    ),
    "softmax twice": (
        "error",
        "The model makes probabilities, and they are taken for logits and squeezed once more "
        "({where}). With two classes no answer can then be surer than 73 %.",
        "End in logits, with no activation on the last layer, and give the loss from_logits=True.",
    ),
    "logits taken for probabilities": (
        "error",
        "The model ends in logits, numbers of any size, but the loss expects probabilities. It "
        "cuts off what is below 0 or above 1, and from there nothing is learnt.",
        "Give the loss from_logits=True, as in "
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True).",
    ),
    "head does not fit the classes": (
        "error",
        "The head gives {width} answers, but the labels name {classes} classes.",
        "Replace the head by one with {classes} outputs.",
    ),
    "classes do not match": (
        "error",
        "{how}: what the model calls one class is another's label.",
        "Bring the labels into the model's order, or train a new head.",
    ),
    "labels do not fit the loss": (
        "error",
        "The loss wants {wanted}, but the labels are {given}.",
        "Use {loss}.",
    ),
    "learning rate too high": (
        "warning",
        "Pretrained layers would train at a rate of {rate:g}. {limit:g} is about the most that "
        "they stand with this optimizer; above it their weights are soon lost.",
        "Compile with a tenth of the head's rate or less, such as 1e-4 with Adam.",
    ),
    "learning rate too low": (
        "warning",
        "At a rate of {rate:g} the weights stay where they are for any training that ends today.",
        "Compile with a higher rate, such as 1e-4 with Adam; below {limit:g} little happens.",
    ),
    "head is not trained yet": (
        "warning",
        "The head still has the random values it was made with, and pretrained layers below it "
        "would train with it.",
        "Freeze them, train the head, and only then call tlkit.unfreeze and compile again.",
    ),
    "optimizer carried over": (
        "error",
        "The optimizer has already made {steps} steps under another compile. It remembers "
        "weights and momentum of that time.",
        "Make a new optimizer for each compile.",
    ),
}


def finding(name: str, **values: object) -> Finding:
    """A known finding with the values of this model."""
    severity, meaning, mend = KNOWN[name]
    fine = severity == "note"
    return Finding(name, meaning.format(**values), fine, mend.format(**values), severity)
