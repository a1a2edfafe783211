"""`skythought tasks`: list them, show one, check some, print the schema of their files."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from skythought.cli.completion import task_names
from skythought.cli.options import OnceCommand
from skythought.errors import unknown

__all__ = ["app"]


class _NameOrCommand(TyperGroup):
    """`tasks NAME` means `tasks show NAME`."""

    def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def]
        """The command that the first word names, or `show` of that word."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            if len(args) > 1:
                raise unknown("command of `skythought tasks`", args[0], self.commands)
            args = ["show", *args]
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx, incomplete):  # type: ignore[no-untyped-def]
        """Commands, and the names of tasks."""
        name = self.commands["show"].params[0]
        return [*super().shell_complete(ctx, incomplete), *name.shell_complete(ctx, incomplete)]


app = typer.Typer(
    name="tasks",
    cls=_NameOrCommand,
    help="List the tasks, show one (tasks NAME), check tasks, or print the schema of their files.",
    invoke_without_command=True,
    no_args_is_help=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def tasks(context: typer.Context) -> None:
    """List the tasks, show one (tasks NAME), check tasks, or print the schema of their files."""
    if context.invoked_subcommand is None:
        from skythought.cli.listings import show_tasks

        show_tasks()


@app.command(cls=OnceCommand)
def show(
    name: Annotated[str, typer.Argument(help="A task's name, or a path to a task YAML.", autocompletion=task_names)],
) -> None:
    """Show one with its source, prompt and scoring; `tasks NAME` is short for it."""
    from skythought.cli.listings import show_task

    show_task(name)


@app.command(cls=OnceCommand)
def check(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of tasks, or paths to task YAML files.", autocompletion=task_names)
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="The whole catalogue.")] = False,
    rows: Annotated[int | None, typer.Option("--rows", help="Only the first so many problems.", min=1)] = None,
    show: Annotated[int | None, typer.Option("--show", help="Problems to print. [default: 2; of several: 0]")] = None,
    dataset_path: Annotated[
        str | None, typer.Option("--dataset-path", help="A file or dataset to read the rows from instead.")
    ] = None,
    task_args: Annotated[str, typer.Option("--task-args", help="Fields of the task to replace: a=1,b=x.")] = "",
) -> None:
    """Prove that a task works: its file, its rows, its prompts, and its right answers by its own scorer."""
    from skythought.cli.validation import check_all
    from skythought.errors import UserError
    from skythought.pipeline import arguments
    from skythought.tasks.load import task_names

    if every == bool(names):
        raise UserError("tasks check: name the tasks, or give --all for the whole catalogue.")
    overrides = arguments.key_values(task_args, "--task-args")
    if dataset_path is not None:
        overrides["dataset_path"] = dataset_path
    if not check_all(task_names() if every else names or [], overrides, rows, show):
        raise typer.Exit(1)


@app.command(cls=OnceCommand)
def schema() -> None:
    """Print the JSON Schema of task files, for completion in editors."""
    from skythought.tasks.schema import schema_text

    typer.echo(schema_text(), nl=False)
