"""Secrets stay home: what is found, what is not mistaken, and that nothing shows them."""

from __future__ import annotations

import base64
import random
import string
import sys
from pathlib import Path

import pytest

from cloudml_magic.errors import CloudMLError
from cloudml_magic.source import masked
from cloudml_magic.source.secrets import find_secrets

from .capturing import captured


def planted() -> dict[str, tuple[str, str]]:
    """Made at run time, so that no scanner of this repository is alarmed: name → (line, secret)."""
    chance = random.Random(20)

    def word(count: int, letters: str = string.ascii_letters + string.digits) -> str:
        return "".join(chance.choice(letters) for _ in range(count))

    upper = string.ascii_uppercase + "234567"
    part = lambda: base64.urlsafe_b64encode(word(30).encode()).decode().rstrip("=")  # noqa: E731
    made = {
        "AWS key": ('key = "{}"', "AKIA" + word(16, upper)),
        "AWS secret": ('aws_secret_access_key = "{}"', word(40)),
        "Google API key": ('maps = "{}"', "AIza" + word(35)),
        "Google token": ('headers = "{}"', "ya29." + word(60)),
        "private key": ('pem = """{}\nMIIE"""', "-----BEGIN RSA PRIVATE " + "KEY-----"),
        "service account": ("info = {{'private_key': '{}'}}", "-----BEGIN PRIVATE " + "KEY-----\\nMIIE" + word(40)),
        "GitHub": ('url = "https://{}@github.com/a/b"', "ghp_" + word(36)),
        "GitHub fine-grained": ('t = "{}"', "github_pat_" + word(60)),
        "Slack": ('slack = "{}"', "xoxb-" + word(11, string.digits) + "-" + word(24)),
        "Stripe": ('stripe.api = "{}"', "sk_live_" + word(24)),
        "OpenAI": ('client = OpenAI("{}")', "sk-" + word(48)),
        "OpenAI project": ('client = OpenAI(api_key="{}")', "sk-proj-" + word(60)),
        "Anthropic": ('x = "{}"', "sk-ant-api03-" + word(60)),
        "Hugging Face": ('login("{}")', "hf_" + word(34)),
        "JSON web token": ('auth = "{}"', f"eyJ{part()}.eyJ{part()}.{part()}"),
        "curl bearer": ("cmd = \"curl -H 'Authorization: Bearer {}' https://h\"", word(40)),
        "basic auth URL": ('u = "https://ann:{}@example.org/x"', word(12)),
        "database URL": ('db = "postgresql://ann:{}@db.example.org:5432/x"', word(14)),
        "signed URL": ('u = "https://storage.googleapis.com/b/o?X-Goog-Signature={}"', word(64, "0123456789abcdef")),
        "password": ('password = "{}"', word(8) + "!7"),
        "token by name": ('ACCESS_TOKEN: str = "{}"', word(32)),
        "environment": ('os.environ["MY_API_KEY"] = "{}"', word(32)),
        "%env": ("%env WANDB_API_KEY={}", word(40, "0123456789abcdef")),
        "!export": ("!export API_TOKEN={}", word(40, "0123456789abcdef")),
        "in a dictionary": ('c = {{"client_secret": "{}"}}', word(24)),
        "SendGrid": ('k = "{}"', f"SG.{word(22)}.{word(43)}"),
    }
    return {name: (line.format(secret), secret) for name, (line, secret) in made.items()}


PLANTED = planted()


@pytest.mark.parametrize(("line", "secret"), PLANTED.values(), ids=PLANTED)
def test_planted_secrets_are_found_and_masked(line: str, secret: str) -> None:
    """Each of the planted set is found, and masking leaves nothing of it."""
    assert next(iter(find_secrets(f"x = 1\n{line}"))).line == 2
    assert secret not in masked(line) and "***" in masked(line)


# A shell line does not travel, so that it cannot be refused.
IN_PYTHON = {name: planted for name, planted in PLANTED.items() if not planted[0].startswith("!")}


@pytest.mark.parametrize(("line", "secret"), IN_PYTHON.values(), ids=IN_PYTHON)
def test_a_captured_secret_is_refused_and_never_shown(line: str, secret: str) -> None:
    """The refusal names cell, line and kind, and not the secret."""
    with pytest.raises(CloudMLError) as caught:
        captured(["import os, stripe\ndef OpenAI(*a, **k): pass\nlogin = OpenAI", f"%%ml_train\n{line}"])
    assert caught.value.reference == "secret-literal"
    assert "In [2], line 2 holds what looks like " in str(caught.value)
    assert secret not in str(caught.value) and secret not in repr(caught.value)
    captured(["import os, stripe\ndef OpenAI(*a, **k): pass\nlogin = OpenAI", line], allow_secrets=True)


def test_the_whole_refusal() -> None:
    """What happened, why, and both ways out."""
    with pytest.raises(CloudMLError) as caught:
        captured(["x = 1", "KEY = '" + "AIza" + "Sy3d" * 8 + "abc'"])
    assert str(caught.value) == (
        "In [2], line 1 holds what looks like a Google API key.\n"
        "  Why:  What a job's package holds can be read by whoever reads the bucket.\n"
        "  Next: Hand it over with --env NAME and read os.environ[NAME]; if it is no secret, add --allow-secrets.\n"
        "[secret-literal]"
    )


def test_a_secret_in_the_kernel_or_in_a_module_is_refused_too(tmp_path: Path) -> None:
    """Whatever would be in the package is looked at."""
    secret = "ghp_" + "a1B2" * 9
    with pytest.raises(CloudMLError, match="`token`, which the kernel holds, looks like a secret"):
        captured(["print(token)"], {"token": secret})
    (tmp_path / "helpers.py").write_text(f"\nT = '{secret}'\n")
    with pytest.raises(CloudMLError, match=r"helpers.py, line 2 holds what looks like a GitHub token"):
        captured(["import helpers\nprint(helpers)"], folder=tmp_path)


def test_a_secret_that_does_not_travel_is_no_obstacle() -> None:
    """Only what is captured counts."""
    captured(["KEY = '" + "ghp_" + "a1B2" * 9 + "'\nx = 1", "print(x)"])


ORDINARY = [
    'api_key = os.environ["API_KEY"]', 'password = getpass("Password: ")', "token = tokenizer.encode(text)", 'api_key = "YOUR_API_KEY"',
    'api_key = "sk-..."', 'api_key = "sk-xxxxxxxxxxxxxxxxxxxxxxxx"', 'url = "https://user:password@host/x"', "tokens = ['<start>', '<end>']",
    'secret_key = "changeme"', 'key = "validation_accuracy"', "oov_token = '<OOV>'", 'start_token = "[START]"', "max_tokens = 1000000000",
    'model.compile(loss="categorical_crossentropy", metrics=["accuracy"])', 'url = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"',
    'file_hash = "8b61d6ad09a41b5b2d3e8b0f8ccf1d3a1d3f5c7c"', 'df["password_length"] = 3', 'token_column = "first_token_of_text"', "sk = sklearn.svm.SVC()",
    'password = None', 'passwords = load("rockyou.txt")', 'x = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA"', 'auth_token: str = ""',
    'key="Bearer of bad news arrives"', 'secret = "it is a secret to everybody"', 'primary_key = "customer_id"', 'api_key_name = "x-api-key"',
    'special_token = "additional_special_tokens"', 'tokenizer_name = "distilbert-base-uncased-finetuned-sst-2-english"', 'password_field = "password"',
    'pad_token = tokenizer.eos_token', 'uri = "mongodb://localhost:27017/db"', 'u = "http://localhost:8888/?token=" + t', 'token = "token"',
]  # fmt: skip


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_lines_are_not_mistaken(line: str) -> None:
    """Placeholders, tokenizers, column names and addresses are no secrets."""
    assert list(find_secrets(line)) == []


def test_few_false_alarms_in_real_code() -> None:
    """At most one in ten thousand lines of other people's code."""
    files = sorted(Path(sys.modules["json"].__file__ or "").parent.parent.glob("*.py"))[:160]
    lines = [line for file in files for line in file.read_text("utf-8", "replace").split("\n")]
    found = [line for line in lines if any(True for _ in find_secrets(line))]
    assert len(lines) > 50_000
    assert len(found) <= len(lines) / 10_000, found


def test_what_is_handed_over_apart_does_not_travel_in_a_literal_either(tmp_path: Path) -> None:
    """A value given with --env is refused by the cell and line, or file and line, in which the code spells it out."""
    with pytest.raises(CloudMLError) as caught:
        captured(["import os\nkey = (1,\n  'plum-tree')", "print(key)"], environment={"KEY": "plum-tree"})
    assert str(caught.value) == (
        "In [1], line 3 holds the value of --env KEY.\n"
        "  Why:  What a job's package holds can be read by whoever reads the bucket.\n"
        "  Next: Read os.environ['KEY'] there; if it is no secret, add --allow-secrets.\n"
        "[secret-literal]"
    )
    (tmp_path / "own.py").write_text("\nKEY = 'plum-tree'\n")
    with pytest.raises(CloudMLError, match=r"own\.py, line 2 holds the value of --env KEY"):
        captured(["import own", "print(own)"], folder=tmp_path, environment={"KEY": "plum-tree"})
    assert captured(["on = '1'", "print(on)"], environment={"ON": "1"}).statements
