"""%ml_storage: files and folders between this machine and buckets, as users of gsutil know it."""

from __future__ import annotations

import codecs
import time
from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments

from cloudml_magic.errors import CloudMLError
from cloudml_magic.notebook.asking import ask_to_delete
from cloudml_magic.notebook.options import parse
from cloudml_magic.notebook.storage_completion import ACTIONS

if TYPE_CHECKING:
    from cloudml_magic.pipeline.files import Copied

_TAKES = {"mb": (1, 1), "rb": (1, 1), "ls": (0, None), "cat": (1, None), "du": (1, None), "rm": (1, None)}


@magics_class
class StorageMagics(Magics):
    """What lies in buckets."""

    @magic_arguments()
    @argument("action", choices=ACTIONS, help="what to do")
    @argument("paths", nargs="*", metavar="PATH", help="gs://BUCKET/NAME or a path of this machine; wildcards too")
    @argument("-r", "--recursive", action="store_true", help="take folders with everything in them")
    @argument("-l", "--long", action="store_true", help="ls: size and time of each object")
    @argument("-s", "--sum", action="store_true", help="du: only the sum")
    @argument("-d", "--delete", action="store_true", help="rsync: delete what is only at the target, after asking")
    @argument("--region", help="mb: where the bucket lies, in place of where jobs run")
    @argument("--any-project", action="store_true", help="write to a bucket that another project owns")
    @argument("--yes", action="store_true", help="do not ask")
    @line_magic
    def ml_storage(self, line: str) -> None:
        """Lists, copies, moves, reads and deletes files in buckets: mb, rb, ls, cp, mv, rm, cat, du, rsync.

        Folders go up several files at a time; what is there already is not sent again. `rm -r` and `rb` ask before.
        """
        given = parse(self.ml_storage, line)
        least, most = _TAKES.get(given.action, (2, 2 if given.action == "rsync" else None))
        if len(given.paths) < least or (most is not None and len(given.paths) > most):
            raise CloudMLError(
                "bad-option",
                f"%ml_storage {given.action} does not understand {line.strip()!r}.",
                why=f"It takes {_number(least, most)}.",
                next="`%ml_storage?` shows every option.",
            )
        getattr(self, f"_{given.action}")(given)

    def _mb(self, given: Namespace) -> None:
        from cloudml_magic.pipeline import files

        print(f"Made {files.make_bucket(given.paths[0], given.region)}.")

    def _rb(self, given: Namespace) -> None:
        from cloudml_magic.pipeline import files

        ask_to_delete(f"the bucket {given.paths[0]}", given.yes)
        files.remove_bucket(given.paths[0])
        print(f"Deleted {given.paths[0]}.")

    def _ls(self, given: Namespace) -> None:
        from cloudml_magic.pipeline import files
        from cloudml_magic.wording import bytes_words, clean

        objects = size = 0
        for path in given.paths or [None]:
            for found in files.listed(path, recursive=given.recursive):
                lead = ""
                if given.long:
                    lead = " " * 34
                    if found.stored is not None:
                        objects, size = objects + 1, size + found.stored.size
                        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found.stored.updated))
                        lead = f"{found.stored.size:>12,}  {moment}  "
                print(f"{lead}{clean(found.address)}")
        if given.long:
            print(f"{objects:,} object{'' if objects == 1 else 's'}, {bytes_words(size)}")

    def _cat(self, given: Namespace) -> None:
        from cloudml_magic.pipeline import files
        from cloudml_magic.wording import clean

        for path in given.paths:
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            for piece in files.read(path):
                print(clean(decoder.decode(piece)), end="")
            print(clean(decoder.decode(b"", final=True)))

    def _du(self, given: Namespace) -> None:
        from cloudml_magic.pipeline import files
        from cloudml_magic.wording import bytes_words, clean

        for path in given.paths:
            total = 0
            for address, size in files.sizes(path):
                total += size
                if not given.sum:
                    print(f"{bytes_words(size):>10}  {clean(address)}")
            print(f"{bytes_words(total):>10}  {clean(path)} in all")

    def _cp(self, given: Namespace) -> None:
        from cloudml_magic.pipeline import files

        self._transfer("copying", "Copied", lambda **how: files.copy(given.paths[:-1], given.paths[-1], **how), given)

    def _mv(self, given: Namespace) -> None:
        from cloudml_magic.pipeline import files

        self._transfer("moving", "Moved", lambda **how: files.move(given.paths[:-1], given.paths[-1], **how), given)

    def _rsync(self, given: Namespace) -> None:
        from cloudml_magic.pipeline import files

        source, to = given.paths
        if given.delete:
            ask_to_delete(f"what is only in {to}", given.yes)
        self._transfer(
            "copying", "Copied", lambda **how: files.synchronise(source, to, delete=given.delete, **how), given
        )

    def _rm(self, given: Namespace) -> None:
        from cloudml_magic.notebook.transfer_line import TransferLine
        from cloudml_magic.pipeline import files
        from cloudml_magic.storage.wildcards import has_wildcards

        for path in given.paths:
            chosen = files.doomed(path, recursive=given.recursive)
            if given.recursive or has_wildcards(path):
                ask_to_delete(chosen.words, given.yes)
            shown = TransferLine(self.shell, "deleting")
            try:
                count = files.remove(path, recursive=given.recursive, on_progress=shown.show)
            except KeyboardInterrupt:
                shown.end("")
                raise CloudMLError(
                    "interrupted",
                    f"The deletion of {path} was interrupted.",
                    why="What was deleted until then is gone; the rest is there.",
                    next="Run the line again to delete the rest.",
                ) from None
            except BaseException:
                shown.end("")
                raise
            shown.end(f"Deleted {count:,} object{'' if count == 1 else 's'}{' and the bucket' * chosen.is_bucket}.")

    def _transfer(self, doing: str, done: str, act: Callable[..., Copied], given: Namespace) -> None:
        from cloudml_magic.notebook.transfer_line import TransferLine, outcome_of
        from cloudml_magic.patience import heard_by

        shown = TransferLine(self.shell, doing)
        how: dict[str, Any] = {"recursive": given.recursive, "any_project": given.any_project}
        try:
            with heard_by(shown.say):
                copied = act(**how, on_progress=shown.show)
        except KeyboardInterrupt:
            shown.end("")
            raise CloudMLError(
                "interrupted",
                f"%ml_storage {given.action} was interrupted.",
                why="What has arrived is whole; of the rest nothing is there.",
                next="Run the line again: what is there already is not sent again.",
            ) from None
        except BaseException:
            shown.end("")
            raise
        shown.end(outcome_of(done, copied))


def _number(least: int, most: int | None) -> str:
    if least == most:
        return f"{least} path{'' if least == 1 else 's'}"
    return f"{least} paths or more"
