"""Cells that ran and the one to be trained → a CapturedSource: all that the job needs and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cloudml_magic.history import ExecutedCell, latest_selves
from cloudml_magic.records import (
    CapturedSource,
    CapturedStatement,
    CapturedValue,
    Cell,
    DataFile,
    LeftOut,
    ShippedValue,
    SourceFile,
)
from cloudml_magic.source import arguments, kernel_values
from cloudml_magic.source.effects import is_variable
from cloudml_magic.source.kernel_values import ImportLine, PlainLiteral, Shippable
from cloudml_magic.source.local_modules import Imported, LocalModules, imports_of
from cloudml_magic.source.names import Scope
from cloudml_magic.source.requirements import requirements_for
from cloudml_magic.source.rules import (
    absolute_path,
    data_file,
    secret,
    shell_dependency,
    undefined_name,
    unfit_syntax,
    unshippable_value,
)
from cloudml_magic.source.rules.refusal import Refusal, place, raise_refusals
from cloudml_magic.source.rules.trip import Trip
from cloudml_magic.source.slice import Selection, Step, select_statements
from cloudml_magic.source.statements import CellStatements, cell_statements

KERNEL = Cell("")  # where import lines come from that no cell holds


@dataclass(frozen=True, slots=True)
class CaptureOptions:
    """What the user said about what is to travel; `environment` are the variables that are handed over apart from the
    package, `runtime_holds` the distributions that a job has anyway, and `needs` names that are looked up after the
    trained cell."""

    arguments: Mapping[str, str] = field(default_factory=dict)
    requires: tuple[str, ...] = ()
    ship: tuple[str, ...] = ()
    data: tuple[DataFile, ...] = ()
    only_marked: bool = False
    allow_secrets: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    runtime_holds: frozenset[str] = frozenset()
    needs: frozenset[str] = frozenset()


def capture(
    cells: Sequence[ExecutedCell],
    trained: ExecutedCell,
    *,
    namespace: Mapping[str, object] | None,
    folder: Path,
    options: CaptureOptions = CaptureOptions(),
) -> CapturedSource:
    """What the trained cell needs of the cells that ran before it, of the kernel and of the files beside the notebook.

    Without a namespace no kernel has run the cells: they count as if they had run in order.
    """
    return _Capture(list(cells), trained, namespace, folder, options).source()


class _Capture:
    def __init__(
        self,
        cells: list[ExecutedCell],
        trained: ExecutedCell,
        namespace: Mapping[str, object] | None,
        folder: Path,
        options: CaptureOptions,
    ) -> None:
        self.namespace, self.folder, self.options = namespace, folder, options
        self.trained = trained.cell
        self.trained_statements = cell_statements(trained.text)
        self.elsewhere: dict[str, str] = {}
        self.warnings: list[str] = []
        self.refusals: list[Refusal] = []
        self.replaced: dict[int, frozenset[str]] = {}
        own_id = trained.id
        self.before = self._counting([cell for cell in cells if own_id is None or cell.id != own_id])

    def source(self) -> CapturedSource:
        unreadable = unfit_syntax.unreadable(self.trained, self.trained_statements.plain)
        if unreadable is not None:
            raise_refusals([unreadable])
        if all(statement.foreign for statement in self.trained_statements.statements):
            raise_refusals([Refusal("empty-cell", f"{self.trained.label} holds nothing to train.", "",
                                    "Write the code that trains into the cell.", self.trained)])  # fmt: skip
        selection = self._selection()
        trip = Trip(
            selection.steps, self.folder, self.namespace is None, selection.constants, self.options.data,
            frozenset(self.options.environment), self.warnings,
        )  # fmt: skip
        shipped = self._shipped(trip, selection)
        values, kernel_imports = self._resolved(trip, selection)
        self._check_arguments(selection, values)
        for rule in (unfit_syntax, shell_dependency, absolute_path, data_file):
            self.refusals += rule.refusals(trip)
        statements = (*kernel_imports, *self._statements(selection))
        files, requirements = self._requirements(trip, kernel_imports)
        if not self.options.allow_secrets:
            self.refusals += secret.refusals(statements, values, files, self.options.environment)
        raise_refusals(sorted(self.refusals, key=lambda refusal: (self._order(refusal.cell), refusal.line or 0)))
        return CapturedSource(
            statements, tuple(values), shipped, files, self.options.data, requirements, self._left_out(),
            tuple(dict.fromkeys(self.warnings)),
        )  # fmt: skip

    def _order(self, cell: Cell | None) -> int:
        every = [*(own for own, _ in self.before), self.trained]
        return every.index(cell) if cell in every else len(every)

    # --- cells ---

    def _counting(self, cells: list[ExecutedCell]) -> list[tuple[Cell, CellStatements]]:
        """The cells that count, each at its latest run; of the others only why what they bind is not there."""
        ran = set(map(id, latest_selves(cells)))
        counting = []
        for executed in cells:
            statements = cell_statements(executed.text)
            why = self._why_not(executed, statements)
            if why:
                self.elsewhere.update(dict.fromkeys(_bound_in(statements), f"{executed.cell.label} {why}"))
            elif id(executed) in ran:
                counting.append((executed.cell, statements))
        return counting

    def _why_not(self, executed: ExecutedCell, statements: CellStatements) -> str:
        plain = statements.plain
        if executed.raised:
            return "would define it, but raised an error."
        if plain.did_not_run:
            return "defines it, but is itself trained as a job and did not run in the kernel."
        if self.options.only_marked and not plain.marked:
            return "defines it, but is not marked with %%ml_code, and --only-marked was given."
        if self.namespace is None and not plain.foreign:
            error = unfit_syntax.compile_error(plain)
            if error is not None:
                where = place(executed.cell, error[1])
                self.warnings.append(f"{where} is no valid Python ({error[0]}), so its cell is left out.")
                return "would define it, but is no valid Python."
        return ""

    def _steps(self) -> list[Step]:
        steps = []
        given, environment = self.options.arguments, frozenset(self.options.environment)
        cells = [(cell, own, own.plain.marked) for cell, own in self.before]
        for cell, own, always in [*cells, (self.trained, self.trained_statements, True)]:
            for statement in own.statements:
                if arguments.sets_variable(statement.node, environment):
                    continue
                new = arguments.replaced(statement, given, environment) if given or environment else statement
                if new is not statement:
                    self.replaced[id(new)] = arguments.literal_names(statement)
                steps.append(Step(new, cell, always and not statement.foreign))
        return steps

    def _selection(self) -> Selection:
        star_names = _star_names if self.namespace is not None else lambda module: None
        return select_statements(
            self._steps(),
            given=frozenset(self.options.ship),
            brought=frozenset(item.path for item in self.options.data),
            needs=self.options.needs,
            star_names=star_names,
            have_run=self.namespace is not None,
        )

    def _statements(self, selection: Selection) -> list[CapturedStatement]:
        return [
            CapturedStatement(
                one.step.statement.text, one.step.cell, one.step.statement.line,
                tuple(sorted(name for name in one.effects.binds | one.effects.may_bind if is_variable(name))),
            )
            for one in selection.steps
        ]  # fmt: skip

    def _left_out(self) -> tuple[LeftOut, ...]:
        every = [*self.before, (self.trained, self.trained_statements)]
        return tuple(LeftOut(line.what, line.why, cell, line.line) for cell, own in every for line in own.left_out)

    # --- names that no cell defines ---

    def _shipped(self, trip: Trip, selection: Selection) -> tuple[ShippedValue, ...]:
        shipped = []
        used = {name for one in selection.steps for name in one.effects.needs}
        for name in dict.fromkeys(self.options.ship):
            if self.namespace is None or name not in self.namespace:
                self.refusals.append(unshippable_value.nothing_to_ship(name, static=self.namespace is None))
                continue
            form = kernel_values.form_of(name, self.namespace[name])
            step = selection.rebound.get(name)
            if not isinstance(form, Shippable):
                self.refusals.append(
                    unshippable_value.not_shippable(name, kernel_values.summary_of(self.namespace[name]))
                )
            elif step is not None and step.cell != self.trained:
                self.refusals.append(unshippable_value.made_anew(trip, name, step.cell.label, step.statement.line))
            elif name not in used:
                self.warnings.append(f"--ship {name}: the job does not use it, so it stays here.")
            else:
                shipped.append(ShippedValue(name, form.kind, form.summary))
        return tuple(shipped)

    def _resolved(self, trip: Trip, selection: Selection) -> tuple[list[CapturedValue], list[CapturedStatement]]:
        values: list[CapturedValue] = []
        imports: list[CapturedStatement] = []
        guarded = undefined_name.guarded_names(trip) if selection.unresolved or selection.deleted else frozenset()
        for name, step in sorted(selection.deleted.items()):
            if name not in guarded:
                self.refusals.append(undefined_name.deleted(trip, name, step))
        for name in selection.unresolved:
            if name == "display":
                values.append(CapturedValue(name, "print"))
            elif name in self.options.environment and name not in self.options.arguments:
                values.append(CapturedValue(name, arguments.from_environment(name)))
            elif not self._from_kernel(trip, name, values, imports) and name not in guarded:
                known = [*(self.namespace or ()), *(n for one in selection.steps for n in one.effects.binds)]
                self.refusals.append(undefined_name.undefined(trip, name, self.elsewhere, known))
        return values, imports

    def _from_kernel(
        self, trip: Trip, name: str, values: list[CapturedValue], imports: list[CapturedStatement]
    ) -> bool:
        if self.namespace is None or name not in self.namespace or undefined_name.is_of_the_shell(name):
            return False
        value = self.namespace[name]
        form = kernel_values.form_of(name, value)
        if isinstance(form, PlainLiteral):
            text = form.literal
            if name in self.options.arguments:
                text = arguments.value_text(name, value, self.options.arguments)
            values.append(CapturedValue(name, text))
        elif isinstance(form, ImportLine):
            imports.append(CapturedStatement(form.statement, KERNEL, 0, (name,)))
        else:
            self.refusals.append(unshippable_value.unshippable(trip, name, form, self.elsewhere))
        return True

    def _check_arguments(self, selection: Selection, values: list[CapturedValue]) -> None:
        plain = {value.name for value in values}
        for one in selection.steps:
            plain |= self.replaced.get(id(one.step.statement), frozenset())
        for name in self.options.arguments:
            if name in plain:
                continue
            bound = any(name in one.effects.binds | one.effects.may_bind for one in selection.steps)
            why = f"{name} is computed there, not assigned a literal." if bound else "What travels does not use it."
            raise arguments.not_an_argument(name, why)

    # --- imports ---

    def _requirements(
        self, trip: Trip, kernel_imports: Sequence[CapturedStatement]
    ) -> tuple[tuple[SourceFile, ...], tuple[str, ...]]:
        imports: list[Imported] = []
        for one in trip.chosen:
            imports += imports_of(one.step.statement.node)
        imports += [Imported(statement.text.split()[1]) for statement in kernel_imports]
        local = LocalModules(self.folder)
        lines = [line for _, own in self.before for line in own.requirements] + [*self.trained_statements.requirements]
        requirements = requirements_for(
            imports, local=local, holds=self.options.runtime_holds, installed_lines=lines,
            requires=self.options.requires, warnings=self.warnings, static=self.namespace is None,
        )  # fmt: skip
        return tuple(local.files[path] for path in sorted(local.files)), requirements


def _bound_in(statements: CellStatements) -> set[str]:
    scope = Scope()
    for statement in statements.statements:
        scope.read(statement.node)
    return scope.stores


def _star_names(module: str) -> frozenset[str] | None:
    """What `from module import *` bound in this kernel."""
    loaded = sys.modules.get(module)
    if loaded is None:
        return None
    names = getattr(loaded, "__all__", None)
    if names is None:
        names = [name for name in vars(loaded) if not name.startswith("_")]
    return frozenset(str(name) for name in names)
