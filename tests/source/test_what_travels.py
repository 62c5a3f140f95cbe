"""Which statements travel: pairs of cells in and statements out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from cloudml_magic.records import DataFile

from .capturing import captured, texts

# Each case: the cells, the last one trained; `-` before a statement that must stay home, everything else travels.
STAYS_HOME = {
    "an unneeded assignment": ["x = 1", "-y = 2", "print(x)"],
    "a binding that a later one overwrites": ["-x = 1", "x = 2", "print(x)"],
    "an import overwritten by a definition": ["-from a import f", "def f(): return 1", "f()"],
    "plots": ["import matplotlib.pyplot as plt", "x = [1]", "-plt.plot(x); plt.show()", "print(x, plt)"],
    "plots on axes": [
        "import matplotlib.pyplot as plt",
        "x = [1]",
        "-fig, axes = plt.subplots(2, 2)\nfor i, ax in enumerate(axes):\n    ax.imshow(x[i]); ax.set_title('a')",
        "print(x, plt)",
    ],
    "a plotting function": [
        "x = [1]",
        "-import matplotlib.pyplot as plt",
        "-def show(a):\n    plt.figure()\n    plt.plot(a)",
        "-show(x)",
        "print(x)",
    ],
    "looking at a frame": [
        "import pandas as pd",
        "df = pd.DataFrame()",
        "-df.head()",
        "-df.describe()",
        "-df.info()",
        "-df",
        "-df['a'].value_counts()",
        "-df.groupby('a').size().plot()",
        "-df.hist(figsize=(3, 3))",
        "-len(df), df.shape",
        "-display(df)",
        "-print(df)",
        "print(df)",
    ],
    "a summary": ["import keras", "m = keras.Sequential()", "-m.summary()", "-keras.utils.plot_model(m)", "m.fit()"],
    "training of another model": [
        "import keras",
        "x = 1",
        "a = keras.Sequential()",
        "-b = keras.Sequential()",
        "-b.compile('adam')",
        "-b.fit(x, x, epochs=3)",
        "-h = b.fit(x)",
        "-b.evaluate(x)",
        "a.fit(x)",
    ],
    "another model from the same function": [
        "import keras",
        "def build():\n    m = keras.Sequential()\n    m.add(1)\n    return m",
        "a = build()",
        "-b = build()",
        "-b.fit([1])",
        "a.fit([1])",
    ],
    "another model with the same callbacks": [
        "import keras",
        "stop = [keras.callbacks.EarlyStopping()]",
        "-b = keras.Sequential()",
        "-b.fit([1], callbacks=stop)",
        "keras.Sequential().fit([1], callbacks=stop)",
    ],
    "a copy that is changed": ["x = [1]", "-y = x.copy()", "-y.append(2)", "print(x)"],
    "a frame chosen by a mask and changed": [
        "import pandas as pd",
        "df = pd.DataFrame()",
        "-small = df[df['a'] > 0]",
        "-small['b'] = 1",
        "print(df)",
    ],
    "a number counted on": ["n = 1", "-m = n", "-m += 1", "print(n)"],
    "a method of a string": ["s = 'a b'", "-parts = s.split()", "-parts.append(1)", "print(s)"],
    "a draw before which nothing is seeded": [
        "import numpy as np",
        "-noise = np.random.rand(3)",
        "x = np.ones(3)",
        "print(x)",
    ],
    "options of display": [
        "import pandas as pd",
        "-pd.set_option('display.max_rows', 3)",
        "-pd.options.display.width = 3",
        "print(pd)",
    ],
    "a drop that is not kept": ["import pandas as pd", "df = pd.DataFrame()", "-df.drop('a', axis=1)", "print(df)"],
    "garbage collection and sleep": ["import gc, time", "-gc.collect()", "-time.sleep(1)", "print(gc, time)"],
    "a function that only prints": [
        "x = [1]",
        "-def look(a):\n    for b in a:\n        print(b)",
        "-look(x)",
        "print(x)",
    ],
    "a prediction": ["import keras", "m = keras.Sequential()", "-p = m.predict([1])", "-p[0] = 1", "m.fit()"],
    "a local of a function with a needed name": ["x = 1", "-def f():\n    x = 2\n    return x", "-y = f()", "print(x)"],
    "a name of a comprehension": ["x = 1", "-y = [x for x in range(3)]", "print(x)"],
    "an attribute of another object": [
        "class A: pass",
        "a = A()",
        "-b = A()",
        "-b.x = 1",
        "print(a)",
    ],
    "a figure style": [
        "-import matplotlib.pyplot as plt",
        "-plt.rcParams['figure.figsize'] = (3, 3)",
        "x = 1",
        "print(x)",
    ],
}
STAYS_HOME |= {
    "another model with star imports": [
        "from keras.layers import *\nfrom keras import Sequential", "a = Sequential([Dense(1)])", "-b = Sequential([Dense(1)])",
        "-b.fit([1])", "a.fit([1])",
    ],
    "another model with the same imported functions": [
        "import keras\nfrom keras.activations import relu", "a = keras.Sequential([keras.layers.Activation(relu)])",
        "-b = keras.Sequential([keras.layers.Activation(relu)])", "-b.fit([1])", "a.fit([1])",
    ],
    "pictures on axes side by side": [
        "x = [[1]]", "-import matplotlib.pyplot as plt",
        "-def show(images):\n    fig, axes = plt.subplots(3)\n    for i, (ax, image) in enumerate(zip(axes, images)):\n        ax.imshow(image)\n"
        "    for ax, image in zip(axes, images):\n        ax.imshow(image)\n        ax.set_axis_off()",
        "-show(x)", "print(x)",
    ],
}  # fmt: skip
TRAVELS = {
    "a change in a loop with a progress bar": [
        "import keras\nfrom tqdm import tqdm", "m = keras.Sequential()", "for layer in tqdm(m.layers):\n    layer.trainable = False", "m.fit()",
    ],
    "an attribute of the class of an object": ["class C:\n    rate = 1", "c = C()", "C.rate = 2", "print(c.rate)"],
    "an imported object that is set": ["from config import settings", "settings.x = 1", "s = settings", "s.y = 2", "print(settings)"],
    "what is needed at two removes": ["a = 1", "b = a", "print(b)"],
    "model.add and compile": ["import keras", "m = keras.Sequential()", "m.add(keras.layers.Dense(1))", "m.compile('sgd')", "m.fit()"],
    "an earlier fit of the same model": ["import keras", "m = keras.Sequential()", "h = m.fit([1])", "m.fit([1])"],
    "weights that are loaded": ["import keras", "m = keras.Sequential()", "m.load_weights('gs://b/w.h5')", "m.fit()"],
    "an augmented assignment": ["import numpy as np", "x = np.ones(3)", "x /= 255", "print(x)"],
    "the same one twice": ["import numpy as np", "x = np.ones(3)", "x = x / 255.", "x = x / 255.", "print(x)"],
    "a new column": ["import pandas as pd", "df = pd.DataFrame()", "df['a'] = 1", "df.loc[0, 'a'] = 2", "print(df)"],
    "a drop in place": ["import pandas as pd", "df = pd.DataFrame()", "df.drop('a', inplace=True)", "print(df)"],
    "a popped column": ["import pandas as pd", "df = pd.DataFrame()", "y = df.pop('y')", "print(df)"],
    "frozen layers": [
        "import keras", "base = keras.applications.VGG16()", "for layer in base.layers:\n    layer.trainable = False",
        "m = keras.Sequential([base])", "m.fit()",
    ],
    "layers frozen after the model was built of them": [
        "import keras", "base = keras.applications.VGG16()", "m = keras.Model(base.input, base.output)",
        "for layer in base.layers[:-4]:\n    layer.trainable = False", "base.layers[3].trainable = True", "m.fit()",
    ],
    "a change through an alias": ["x = [1]", "y = x", "y.append(2)", "print(x)"],
    "a change through an element": ["x = {'a': []}", "y = x['a']", "y.append(2)", "print(x)"],
    "a change through a tuple": ["a, b = [], []", "pair = (a, b)", "for one in pair:\n    one.append(1)", "print(b)"],
    "a change through a comprehension": ["a = [[]]", "b = [c for c in a]", "b[0].append(1)", "print(a)"],
    "a change by a function of the notebook": ["x = [1]", "def f(a):\n    b = a\n    b.append(1)", "f(x)", "print(x)"],
    "a change by a function whose result is kept": ["x = [1]", "def f(a):\n    a[0] = 2\n    return 3", "z = f(x)", "print(x)"],
    "a change of a global by a function": ["x = []", "def f():\n    x.append(1)", "f()", "print(x)"],
    "a global statement": ["x = 1", "def f():\n    global x\n    x = 2", "f()", "print(x)"],
    "a change through a stored object": [
        "items = []", "class Box:\n    def __init__(self, held):\n        self.held = held", "box = Box(items)", "box.held.append(1)", "print(items)",
    ],
    "a change by a method of the notebook's class": [
        "count = []", "class Counter:\n    def tick(self):\n        count.append(1)", "c = Counter()", "c.tick()", "print(count)",
    ],
    "an unknown call that may reach it": ["from a import mangle", "x = [1]", "mangle(x)", "print(x)"],
    "a call of a needed module": ["import a", "a.configure(1)", "a.run()"],
    "a conditional binding and the one before": ["x = 1", "if len('a'):\n    x = 2", "print(x)"],
    "a binding in a loop": ["x = 1", "for i in range(3):\n    x = i", "print(x)"],
    "a binding in both branches": ["-x = 1", "if len('a'):\n    x = 2\nelse:\n    x = 3", "print(x)"],
    "an import that is tried": ["-tf = 1", "try:\n    import tensorflow as tf\nexcept ImportError:\n    tf = None", "print(tf)"],
    "an import that is tried or fails": ["-tf = 1", "try:\n    import tensorflow as tf\nexcept ImportError:\n    raise", "print(tf)"],
    "a with block": ["-s = 0", "import tensorflow as tf", "s = tf.distribute.MirroredStrategy()", "with s.scope():\n    m = tf.keras.Sequential()", "m.fit()"],
    "a walrus": ["if (n := len('abc')) > 2:\n    pass", "print(n)"],
    "a match": ["x = 1", "match x:\n    case 1:\n        y = 2\n    case _:\n        y = 3", "print(y)"],
    "a helper defined later": ["def f():\n    return g()", "def g():\n    return 1", "print(f())"],
    "a function defined anew": ["-def f():\n    return 1", "def f():\n    return 2", "print(f())"],
    "a helper defined anew after its use": ["def g():\n    return 1", "def f():\n    return g()", "a = f()", "def g():\n    return 2", "print(a, f())"],
    "a global that changes between two uses": ["k = 1", "def f():\n    return k", "a = f()", "k = 2", "print(a, f())"],
    "a base class": ["class A: pass", "class B(A): pass", "print(B())"],
    "a constant that a method uses when it runs": [
        "import keras", "class L(keras.layers.Layer):\n    def call(self, x):\n        return x * alpha", "alpha = 2", "m = keras.Sequential([L()])", "m.fit()",
    ],
    "a default": ["k = 1", "def f(a=k):\n    return a", "print(f())"],
    "a decorator": ["def twice(f):\n    return f", "@twice\ndef g():\n    return 1", "print(g())"],
    "a decorator that registers": ["import keras", "@keras.saving.register_keras_serializable()\nclass L(keras.layers.Layer): pass", "m = keras.saving.load_model('gs://b/m.keras')"],
    "a registry of the notebook": ["known = {}", "def register(f):\n    known[f.__name__] = f\n    return f", "@register\ndef a():\n    return 1", "print(known)"],
    "the environment": ["import os", "os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'", "os.environ.setdefault('A', 'b')", "print(1)"],
    "a seed": ["import keras", "keras.utils.set_random_seed(1)", "print(1)"],
    "draws after a seed": [
        "import numpy as np, random", "-a = np.random.rand(1)", "np.random.seed(1)", "b = np.random.rand(2)", "random.seed(2)", "c = random.random()",
        "from numpy.random import rand", "d = rand(3)", "print(1)",
    ],
    "draws between two seeds": ["import numpy as np", "-np.random.seed(1)", "-b = np.random.rand(2)", "np.random.seed(2)", "c = np.random.rand()", "print(1)"],
    "a draw within a function": ["import numpy as np", "np.random.seed(1)", "def noise():\n    return np.random.rand()", "a = noise()", "print(1)"],
    "seeds set by a function": ["import random", "def seed_all(n):\n    random.seed(n)", "seed_all(3)", "print(1)"],
    "a generator object": ["import numpy as np", "rng = np.random.default_rng(1)", "a = rng.normal(size=3)", "print(rng.normal())"],
    "a shuffle": ["import numpy as np", "x = np.arange(3)", "np.random.shuffle(x)", "print(x)"],
    "mixed precision": ["import keras", "keras.mixed_precision.set_global_policy('mixed_float16')", "print(1)"],
    "mixed precision imported by name": ["from tensorflow.keras.mixed_precision import set_global_policy", "set_global_policy('mixed_float16')", "print(1)"],
    "memory growth": [
        "import tensorflow as tf", "gpus = tf.config.list_physical_devices('GPU')", "for gpu in gpus:\n    tf.config.experimental.set_memory_growth(gpu, True)", "print(1)",
    ],
    "floatx and an attribute of a module": ["import keras", "keras.backend.set_floatx('float64')", "keras.backend.x = 1", "print(1)"],
    "pairs of pairs": ["import keras", "(x, y), (a, b) = keras.datasets.mnist.load_data()", "x, a = x / 255., a / 255.", "print(x)"],
    "one binding of two that stands": ["a, b = 1, 2", "b = 3", "print(a, b)"],
    "a scaler that is fitted": [
        "from sklearn.preprocessing import StandardScaler", "s = StandardScaler()", "x = s.fit_transform([[1.]])", "print(s)",
    ],
    "an adapted layer": ["import keras", "n = keras.layers.Normalization()", "n.adapt([1.])", "keras.Sequential([n]).fit()"],
    "a compiled metric of the notebook": ["import keras", "beta = 1", "def f_score(a, b):\n    return a * beta", "m = keras.Sequential()", "m.compile(metrics=[f_score])", "m.fit()"],
    "callbacks": [
        "import keras", "log = []", "class C(keras.callbacks.Callback):\n    def on_epoch_end(self, e, logs=None):\n        log.append(e)", "cbs = [C()]",
        "keras.Sequential().fit(callbacks=cbs)",
    ],
    "a file that code wrote": ["import pandas as pd", "df = pd.DataFrame()", "df.to_csv('a.csv')", "pd.read_csv('a.csv')"],
    "a folder that code made": ["import os", "os.makedirs('out/x', exist_ok=True)", "open('out/x/log.txt', 'w').write('a')"],
    "a deleted item": ["d = {1: 2}", "del d[1]", "print(d)"],
    "setattr": ["class A: pass", "a = A()", "setattr(a, 'x', 1)", "print(a)"],
    "what an f-string shows": ["x = 1", "print(f'{x:>{x}}')"],
    "a type hint of a module's variable": ["from typing import Any", "x: Any = 1", "print(x)"],
    "two submodules": ["import xml.dom", "import xml.sax", "print(xml.dom, xml.sax)"],
    "a future import": ["from __future__ import annotations", "x = 1", "print(x)"],
    "a star import that nobody knows": ["from somewhere import *", "print(thing)"],
    "main": ["x = 1", "if __name__ == '__main__':\n    print(x)"],
    "an optimizer that two share": ["import keras", "opt = keras.optimizers.Adam()", "m = keras.Sequential()", "m.compile(opt)", "opt.learning_rate = 0.1", "m.fit()"],
    "a dataset that is mapped": ["import tensorflow as tf", "def f(a):\n    return a", "ds = tf.data.Dataset.range(3)", "ds = ds.map(f).batch(2)", "for a in ds: print(a)"],
    "a partial": ["from functools import partial", "k = 2", "def f(a):\n    return a * k", "g = partial(f, 1)", "print(g())"],
    "a lambda": ["k = 2", "f = lambda a: a * k", "print(f(1))"],
    "nested functions": ["k = 2", "def outer():\n    def inner():\n        return k\n    return inner", "f = outer()", "k = 3", "print(f())"],
    "a while loop that changes": ["x = []", "while len(x) < 3:\n    x.append(1)", "print(x)"],
    "an alias made in a loop": ["a = []\nb = None\nc = []", "for i in range(3):\n    b = c\n    c = a", "b.append(1)", "print(a)"],
}  # fmt: skip


@pytest.mark.parametrize("cells", [*STAYS_HOME.values(), *TRAVELS.values()], ids=[*STAYS_HOME, *TRAVELS])
def test_exactly_the_needed_statements_travel(cells: list[str]) -> None:
    """What the trained cell needs travels in the order in which it ran, and nothing else."""
    wanted = [
        ast.get_source_segment(cell, node)
        for cell in cells if not cell.startswith("-")
        for node in ast.parse(cell).body
    ]  # fmt: skip
    travelled = texts(captured([cell.removeprefix("-") for cell in cells]))
    assert [_comparable(text) for text in travelled] == [_comparable(text or "") for text in wanted]


def _comparable(text: str) -> str:
    """Without decorators, which `ast.get_source_segment` leaves out."""
    return "\n".join(line for line in text.split("\n") if not line.startswith("@"))


def test_an_import_in_many_cells_travels_where_it_is_needed() -> None:
    """A repeated import binds its name anew; each use meets the latest before it."""
    cells = ["import numpy as np", "x = np.ones(3)", "import numpy as np", "import numpy as np", "np.sum(x)"]
    assert texts(captured(cells)) == ["import numpy as np", "x = np.ones(3)", "import numpy as np", "np.sum(x)"]


@pytest.mark.parametrize("path", ["base.keras", "models"])
def test_what_wrote_a_file_stays_home_if_the_file_is_brought(path: str, tmp_path: Path) -> None:
    """By `--data`; without it the file has to be written anew."""
    written = "base.keras" if path == "base.keras" else "models/base.keras"
    cells = [
        "import keras\nbase = keras.Model()",
        f"base.save('{written}')",
        f"print(keras.models.load_model('{written}'))",
    ]
    (tmp_path / written).parent.mkdir(exist_ok=True)
    (tmp_path / written).touch()
    assert len(texts(captured(cells, folder=tmp_path))) == 4
    brought = captured(cells, folder=tmp_path, data=(DataFile(str(tmp_path / path), path),))
    assert texts(brought) == ["import keras", cells[2]]
