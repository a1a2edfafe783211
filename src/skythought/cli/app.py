"""The commands and their options. Everything else is imported when a command runs, so that `--help` is instant."""

from __future__ import annotations

import io
import os
import sys
from dataclasses import fields
from functools import partial
from typing import Annotated, Any, NoReturn

import typer

from skythought.cli.completion import model_names, run_folders, task_names
from skythought.cli.leaving import INTERRUPTED, leave
from skythought.cli.options import Layers, OnceCommand, takes, takes_layers
from skythought.cli.tasks import app as tasks_app
from skythought.errors import SkythoughtError
from skythought.exporting.options import ExportOptions
from skythought.pipeline.options import Options, ScoreOptions
from skythought.printable import printable, shortened
from skythought.wording import from_the_command_line

__all__ = ["app", "main"]

app = typer.Typer(
    name="skythought",
    help="Evaluate reasoning models, and generate training data with them.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

command = partial(app.command, cls=OnceCommand)

GATE_FAILED = 3

Ks = Annotated[
    list[str] | None,
    typer.Option("--k", help="Of pass@k, maj@k, ...: 1,5,10. [default: n, and powers of two below]"),
]
Results = Annotated[
    str, typer.Option("--results", help="Form of the samples that are derived: auto, json, parquet or none.")
]
ModelConfig = Annotated[
    str | None, typer.Option("--model-config", help="A YAML file of model presets that go before the library's.")
]
Config = Annotated[
    str | None,
    typer.Option(
        "--config", envvar="SKYTHOUGHT_CONFIG", show_envvar=False, help="A YAML file of options, or a run's run.json."
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        envvar="SKYTHOUGHT_QUIET",
        show_envvar=False,
        help="Print errors and the run's folder only.",
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        envvar="SKYTHOUGHT_VERBOSE",
        show_envvar=False,
        help="Tell everything that is done, and the engine's log.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run",
        envvar="SKYTHOUGHT_DRY_RUN",
        show_envvar=False,
        help="Show what would be done, and the first prompt; load no model and write nothing.",
    ),
]


@command()
@takes_layers(Options, defaults={"result_dir": "./"})
def evaluate(
    given: Layers,
    config: Config = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Ask a model the problems of a task and grade its answers."""
    _run(given, config, dry_run, grade=True, quiet=quiet, verbose=verbose)


@command()
@takes_layers(Options, without_grading=True)
def generate(
    given: Layers,
    config: Config = None,
    dry_run: DryRun = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Ask without grading; `score` can grade later, on another machine."""
    _run(given, config, dry_run, grade=False, quiet=quiet, verbose=verbose)


@command()
@takes_layers(ScoreOptions)
def score(
    given: Layers,
    run_dir: Annotated[
        str,
        typer.Option(
            "--run-dir",
            envvar="SKYTHOUGHT_RUN_DIR",
            show_envvar=False,
            help="A run folder; one of the reference's will do too.",
            autocompletion=run_folders,
        ),
    ],
    config: Config = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Grade the answers in a run folder, again or for the first time."""
    from skythought.api import score_steps
    from skythought.cli.progress import Shown, watch
    from skythought.pipeline import arguments
    from skythought.pipeline.configfile import read_config
    from skythought.pipeline.suite import merged

    shown = Shown(quiet=quiet, verbose=verbose)
    file = read_config(config).options if config is not None else {}
    known = {entry.name for entry in fields(ScoreOptions)}
    asked = ScoreOptions(
        **merged(given.base, {name: value for name, value in file.items() if name in known}, given.typed)
    )
    steps = score_steps(
        asked.task,
        run_dir,
        arguments.ids(asked.ids),
        executor=asked.executor,
        ray_address=asked.ray_address,
        sandbox=asked.sandbox,
        judge=asked,
        k=asked.k,
        results=asked.results,
    )
    watch(steps, again="each one's `reason` in results.json tells why", shown=shown)


@command()
def merge(
    shards: Annotated[
        list[str],
        typer.Argument(metavar="SHARD...", help="The folders of all parts of the run.", autocompletion=run_folders),
    ],
    result_dir: Annotated[
        str | None, typer.Option("--result-dir", help="Where the run folder is made. [default: beside the first part]")
    ] = None,
    results: Results = "auto",
) -> None:
    """Put the parts of a run that were made with --shard together: the run that one machine would have made."""
    from skythought.api import merge_steps
    from skythought.cli.progress import watch

    watch(merge_steps(shards, result_dir, results=results))  # type: ignore[arg-type]  # checked there


@command()
def compare(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="Run folders, or folders that hold runs; the first is the baseline.", autocompletion=run_folders
        ),
    ],
    names: Annotated[str | None, typer.Option("--names", help="What they are to be called: base,tuned.")] = None,
    allow: Annotated[
        str, typer.Option("--allow", help="Compare although these differ: problems,prompts,targets,scorer.")
    ] = "",
    margin: Annotated[float, typer.Option("--margin", help="Points of accuracy that make no difference.")] = 1.0,
    level: Annotated[float, typer.Option("--level", help="Of intervals and tests.")] = 0.95,
    flips: Annotated[int, typer.Option("--flips", help="So many changed problems are shown with both answers.")] = 3,
    form: Annotated[str, typer.Option("--format", help="text, json, csv, markdown or latex.")] = "text",
    gate: Annotated[
        str | None, typer.Option("--gate", help="A YAML file of what must hold; exit code 3 where it does not.")
    ] = None,
) -> None:
    """Tell whether runs are really different: by how much, where, and what could explain it."""
    from skythought.api import compare as compare_runs
    from skythought.cli.comparison import show_checks, writer
    from skythought.comparison.gate import check_policy, read_policy
    from skythought.display.console import PlainConsole

    write = writer(form)
    policy = read_policy(gate) if gate is not None else None
    called = [name.strip() for name in names.split(",")] if names else []
    with PlainConsole(stderr=True).status("reading the runs"):
        comparison = compare_runs(*runs, names=called, allow=allow, margin=margin, level=level, flips=flips)
    checks = check_policy(comparison, policy) if policy is not None else []
    write(comparison)
    if policy is not None and not show_checks(checks, on_stderr=form != "text"):
        raise typer.Exit(GATE_FAILED)


@command()
def plan(
    task: Annotated[
        str, typer.Option("--task", help="A task's name, or a path to a task YAML.", autocompletion=task_names)
    ],
    n: Annotated[int, typer.Option("--n", help="Samples a problem.")] = 1,
    runs: Annotated[
        list[str] | None,
        typer.Option(
            "--from", help="An earlier run of the task, or two over the same problems.", autocompletion=run_folders
        ),
    ] = None,
    difference: Annotated[
        float | None,
        typer.Option("--difference", help="What to look for, as a share. [default: half of that]"),
    ] = None,
    problems: Annotated[int | None, typer.Option("--problems", help="How many. [default: the whole task]")] = None,
) -> None:
    """Tell what difference a run could show, whether more problems or samples would help, and what it takes."""
    from skythought.api import plan as make
    from skythought.pipeline import arguments

    forecast = make(task, n, runs=arguments.names(runs or []), difference=difference, problems=problems)
    for line in forecast.lines():
        typer.echo(printable(line))


@command()
def metrics(
    run_dir: Annotated[
        list[str], typer.Argument(metavar="RUN_DIR...", help="Run folders.", autocompletion=run_folders)
    ],
    k: Ks = None,
    level: Annotated[float, typer.Option("--level", help="How often an interval shall hold its number.")] = 0.95,
    as_format: Annotated[str, typer.Option("--format", help="text, json, csv or markdown.")] = "text",
) -> None:
    """Show accuracy, pass@k, pass^k, G-Pass@k, maj@k and Bayes@N of runs, each with its interval."""
    from skythought.cli.metrics import show_metrics
    from skythought.pipeline import arguments

    show_metrics(run_dir, arguments.whole_numbers(k or [], "--k"), level, as_format)


@command()
@takes(ExportOptions)
def export(
    given: dict[str, Any],
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN_DIR...", help="Run folders, or folders that hold runs.", autocompletion=run_folders
        ),
    ],
    output: Annotated[str, typer.Option("--output", "-o", help="The folder to make.")],
) -> None:
    """Make training data of runs: right responses, pairs or problems, in a trainer's format, with a card."""
    from skythought.cli.exporting import export_and_tell

    export_and_tell(runs, output, given)


app.add_typer(tasks_app)


@command()
def models(
    name: Annotated[str | None, typer.Argument(help="Show this one.", autocompletion=model_names)] = None,
    model_config: ModelConfig = None,
) -> None:
    """List the models that have presets, or show how one is addressed."""
    from skythought.cli.listings import show_model, show_models

    show_model(name, model_config) if name else show_models(model_config)


@command()
def runs(
    folder: Annotated[
        str, typer.Argument(help="Where to look, also in the folders below.", autocompletion=run_folders)
    ] = ".",
) -> None:
    """List the runs in a folder: task, model, sampling, how complete, accuracy, when."""
    from skythought.cli.looking import show_runs

    show_runs(folder)


@command()
def show(
    run_dir: Annotated[
        str, typer.Argument(help="A run folder; one of the reference's will do too.", autocompletion=run_folders)
    ],
    ids: Annotated[str | None, typer.Option("--id", "--ids", help="Only these problems: 1,2,3.")] = None,
    sample: Annotated[int | None, typer.Option("--sample", help="Only the sample of this number, from 0.")] = None,
    verdict: Annotated[
        str | None, typer.Option("--verdict", help="Only correct, wrong, unparsed, truncated, failed or unscored ones.")
    ] = None,
    wrong: Annotated[bool, typer.Option("--wrong", help="Short for --verdict wrong.")] = False,
    most: Annotated[
        int | None, typer.Option("--most", min=1, help="Samples to show at most. [default: 10; jsonl: all]")
    ] = None,
    marked: Annotated[bool, typer.Option("--marked", help="Only those that somebody marked; see `view`.")] = False,
    whole: Annotated[bool, typer.Option("--whole", help="Show all of the thinking too.")] = False,
    form: Annotated[
        str, typer.Option("--format", help="text, or jsonl: a test case a line, with target, answer and response.")
    ] = "text",
) -> None:
    """Print samples to read: what was asked, thought and answered, what was read of it, gold answer, verdict, why."""
    from skythought.cli.looking import Wanted, show_samples
    from skythought.pipeline import arguments

    chosen = ",".join(part for part in (verdict, "wrong" if wrong else None) if part)
    show_samples(run_dir, Wanted.of(arguments.ids(ids), sample, chosen, marked), most, whole, form)


@command()
def report(
    run_dir: Annotated[
        list[str],
        typer.Argument(metavar="RUN_DIR...", help="Run folders; several are compared.", autocompletion=run_folders),
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="The file. [default: RUN_DIR.html beside the run]")
    ] = None,
) -> None:
    """Write a page to read, search and send: figures, samples, comparison, in one file without a network."""
    from skythought.cli.report import make_report

    make_report(run_dir, output)


@command()
def view(
    run_dir: Annotated[
        list[str],
        typer.Argument(metavar="RUN_DIR...", help="Run folders, also ones still going.", autocompletion=run_folders),
    ],
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 0,
) -> None:
    """Serve the same page on this machine, for large runs and for those that are still going, and save marks."""
    from skythought.cli.report import view_runs

    view_runs(run_dir, port)


@command()
def sandbox(
    level: Annotated[
        str, typer.Option("--sandbox", help="auto, or strict: refuse without files and network isolated.")
    ] = "auto",
) -> None:
    """Show what confines the programs that models write on this machine, layer by layer, and try it."""
    from skythought.cli.confinement import show_sandbox

    raise typer.Exit(show_sandbox(level))


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"skythought {version('skythought')}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Evaluate reasoning models, and generate training data with them."""


def _run(
    given: Layers, config: str | None, dry_run: bool, *, grade: bool, quiet: bool = False, verbose: bool = False
) -> None:
    from skythought.api import execute
    from skythought.cli.progress import Shown, watch
    from skythought.pipeline.configfile import read_config
    from skythought.pipeline.suite import make_suite
    from skythought.streams import Stop

    shown = Shown(quiet=quiet, verbose=verbose)
    file = read_config(config) if config is not None else None
    suite = make_suite(given.typed, base=given.base, config=file, grade=grade)
    if dry_run:
        from skythought.cli.preview import show_preview

        show_preview(suite.plans)
        return
    stop = Stop()
    watch(execute(suite.plans, stop), stop=stop, shown=shown)


def main() -> NoReturn:
    """Entry point: runs a command; mistakes of the user's become one line on standard error and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character is no reason to fail
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        # Commands return nothing; typer itself returns 130 for Ctrl-C.
        with from_the_command_line():
            code = app(prog_name="skythought", standalone_mode=False) or 0
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- the boundary: what is not the user's to see is raised again
        code = _explained(error)
    if code == INTERRUPTED:
        leave()
    sys.exit(code)


def _explained(error: Exception) -> int:
    """The exit code for an error, after its one line; a bug is raised again."""
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, typer.Abort):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        # The reader (`| head`) has gone; point stdout elsewhere so that the interpreter's last flush is silent.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if isinstance(error, SkythoughtError):
        _complain(str(error))
        return error.exit_code
    if isinstance(error, OSError):
        _complain(f"{error.filename or 'the system'}: {error.strerror or error}")
        return 1
    if hasattr(error, "format_message"):  # usage errors of typer's parser: a class of its own or click's, by version
        from skythought.cli.mistakes import on_usage

        _complain(on_usage(error))
        return 2
    raise error


def _complain(text: str) -> None:
    print(f"skythought: {shortened(printable(' '.join(text.split())))}", file=sys.stderr)
