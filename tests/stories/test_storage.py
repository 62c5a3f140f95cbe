"""A user's bucket in a notebook: filled with a bar, found again with Tab."""

from __future__ import annotations

import zlib

import pytest
from real_notebook import Notebook, Outcome

pytestmark = pytest.mark.slow

FOLDER = """
from pathlib import Path
for name in ("maize/1.png", "maize/2.png", "Fat Hen/ä #1.png", "labels.csv"):
    Path("Train", name).parent.mkdir(parents=True, exist_ok=True)
    Path("Train", name).write_text(name)
"""


@pytest.fixture(scope="module")
def sent(kernel: Notebook) -> Outcome:
    """What it looked like when the folder went into a new bucket."""
    assert not kernel.run(FOLDER).error
    assert kernel.run("%ml_storage mb gs://a-bucket-of-mine").printed == "Made gs://a-bucket-of-mine.\n"
    at_once = "from cloudml_magic.notebook import transfer_line as line\nline._QUIET_SECONDS = line._REDRAW_SECONDS = 0"
    assert not kernel.run(at_once).error
    return kernel.run("%ml_storage cp -r Train gs://a-bucket-of-mine/")


def test_a_folder_goes_up_with_one_bar(sent: Outcome) -> None:
    """Its outcome stands where the bar was."""
    assert not sent.error and sent.printed == ""
    (shown,) = sent.displays.values()
    assert shown["text/plain"].startswith("Copied 4 files, 49 B, in ")


@pytest.mark.usefixtures("sent")
@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("%ml_storage r", ["rb ", "rm ", "rsync "]),
        ("%ml_storage ls gs://a-buc", ["ls gs://a-bucket-of-mine/"]),
        ("%ml_storage ls -l gs://a-bucket-of-mine/T", ["ls -l gs://a-bucket-of-mine/Train/"]),
        (
            "%ml_storage cp gs://a-bucket-of-mine/Train/maize/",
            ["cp gs://a-bucket-of-mine/Train/maize/1.png", "cp gs://a-bucket-of-mine/Train/maize/2.png"],
        ),
        ("%ml_storage ls gs://a-bucket-of-mine/Train/F", ["ls 'gs://a-bucket-of-mine/Train/Fat Hen/"]),
        (
            "%ml_storage cat 'gs://a-bucket-of-mine/Train/Fat Hen/",
            ["cat 'gs://a-bucket-of-mine/Train/Fat Hen/ä #1.png'"],
        ),
        ('%ml_storage ls "gs://a-bucket-of-mine/Train/l', ['ls "gs://a-bucket-of-mine/Train/labels.csv"']),
        ("%ml_storage cp Trai", ["cp Train/"]),
        ("%ml_storage cat gs://a-bucket-of-mine/none", []),
    ],
)
def test_tab(kernel: Notebook, line: str, completed: list[str]) -> None:
    """Actions, buckets, folders, objects, and files of this machine, as the notebook's page asks for them."""
    assert sorted(kernel.completions(line)) == [f"%ml_storage {each}" for each in completed]


@pytest.mark.parametrize("name", ["it's", 'say "hi"', "back\\slash", "{1 + 1}", "{no}/{more}"])
def test_a_name_that_tab_found_is_that_name(kernel: Notebook, name: str) -> None:
    """Whatever signs of a shell's or of IPython's are in it: nothing in a name is run."""
    bucket = f"odd-{zlib.crc32(name.encode())}"
    storing = f"from cloudml_magic import files\nPath('odd').write_text({name!r})\nfiles.make_bucket({bucket!r})\n"
    assert not kernel.run(f"from pathlib import Path\n{storing}files.copy('odd', 'gs://{bucket}/' + {name!r})").error
    line = f"%ml_storage cat gs://{bucket}/"
    for _ in name.split("/"):
        (line,) = kernel.completions(line)
    assert kernel.run(line).printed == f"{name}\n"


@pytest.mark.usefixtures("sent")
def test_what_tab_made_is_understood(kernel: Notebook) -> None:
    """A space and a sign in the name are the name's."""
    (line,) = kernel.completions("%ml_storage cat 'gs://a-bucket-of-mine/Train/Fat Hen/")
    assert kernel.run(line).printed == "Fat Hen/ä #1.png\n"
