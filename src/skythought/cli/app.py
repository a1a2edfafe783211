"""The commands and their options. Everything else is imported when a command runs, so that `--help` is instant."""

from __future__ import annotations

import io
import os
import re
import sys
from typing import Annotated, Any, NoReturn

import typer

from skythought.cli.tasks import app as tasks_app
from skythought.errors import SkythoughtError

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

INTERRUPTED = 130

Task = Annotated[
    list[str], typer.Option("--task", help="A task's name, or a path to a task YAML; several by commas or repetition.")
]
Model = Annotated[str, typer.Option("--model", help="A hub id, a local path, or a name from `skythought models`.")]
Backend = Annotated[
    str | None, typer.Option("--backend", help="vllm, ray, openai or transformers. [default: what is installed]")
]
BackendArgs = Annotated[str, typer.Option("--backend-args", help="Arguments of the backend: a=1,b=x or a dict.")]
Sampling = Annotated[
    str,
    typer.Option(
        "--sampling-params",
        help="Sampling parameters. [default: the model's, else temperature=0,top_p=1,max_tokens=32768]",
    ),
]
TaskArgs = Annotated[
    str, typer.Option("--task-args", help="Fields of the task to replace, e.g. dataset_path=rows.jsonl.")
]
N = Annotated[int | None, typer.Option("--n", help="Samples a problem. [default: 1]")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of the run; each sample's own is derived from it.")]
BatchSize = Annotated[
    int | None, typer.Option("--batch-size", help="Requests in flight at most. [default: 64; vllm: 512; ray: 2048]")
]
ModelConfig = Annotated[
    str | None, typer.Option("--model-config", help="A YAML file of model presets that go before the library's.")
]
SystemPrompt = Annotated[
    str | None, typer.Option("--system-prompt", help="System prompt; an empty one switches a preset off.")
]
SystemPromptName = Annotated[
    str | None, typer.Option("--system-prompt-name", help="A named one: qwen_cot, prime_rl, skythought.")
]
UserTemplate = Annotated[
    str | None, typer.Option("--user-template", help="Text around the task's prompt, which replaces {}.")
]
Prefill = Annotated[
    str | None, typer.Option("--assistant-prefill", help="Start of the model's turn, which it continues.")
]
ChatArgs = Annotated[
    str, typer.Option("--chat-template-kwargs", help="Arguments of the chat template, e.g. enable_thinking=false.")
]
Reproducible = Annotated[
    bool,
    typer.Option(
        "--reproducible/--no-reproducible", help="float32 and all that the engine has against batch-dependent numbers."
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite/--no-overwrite", help="Delete what the run folder holds.")]
Resume = Annotated[bool, typer.Option("--resume/--no-resume", help="Continue or extend the run if it exists.")]
ResumeFrom = Annotated[str | None, typer.Option("--resume-from", help="Continue or extend the run in this folder.")]
Start = Annotated[int, typer.Option("--start", help="First problem, counted after the task's filters.")]
Sandbox = Annotated[
    str, typer.Option("--sandbox", help="auto, or strict: run no program without isolation of network and files.")
]
End = Annotated[int, typer.Option("--end", help="Problem to stop before; negative = all.")]


@app.command()
def evaluate(
    task: Task,
    model: Model,
    backend: Backend = None,
    backend_args: BackendArgs = "",
    sampling_params: Sampling = "",
    task_args: TaskArgs = "",
    n: N = None,
    seed: Seed = 41,
    batch_size: BatchSize = None,
    model_config: ModelConfig = None,
    system_prompt: SystemPrompt = None,
    system_prompt_name: SystemPromptName = None,
    user_template: UserTemplate = None,
    assistant_prefill: Prefill = None,
    chat_template_kwargs: ChatArgs = "",
    reproducible: Reproducible = False,
    result_dir: Annotated[str, typer.Option("--result-dir", help="Where the run folder is made.")] = "./",
    overwrite: Overwrite = False,
    resume: Resume = False,
    resume_from: ResumeFrom = None,
    start: Start = 0,
    end: End = -1,
    as_test: Annotated[
        bool, typer.Option("--as-test/--no-as-test", help="A trial: 10 problems, at most 2,048 tokens.")
    ] = False,
    sandbox: Sandbox = "auto",
) -> None:
    """Ask a model the problems of a task and judge its answers."""
    given = dict(locals())
    given["result_dir"] = None if resume_from else result_dir
    _run(given, judge=True)


@app.command()
def generate(
    task: Task,
    model: Model,
    backend: Backend = None,
    backend_args: BackendArgs = "",
    sampling_params: Sampling = "",
    task_args: TaskArgs = "",
    n: N = None,
    seed: Seed = 41,
    batch_size: BatchSize = None,
    model_config: ModelConfig = None,
    system_prompt: SystemPrompt = None,
    system_prompt_name: SystemPromptName = None,
    user_template: UserTemplate = None,
    assistant_prefill: Prefill = None,
    chat_template_kwargs: ChatArgs = "",
    reproducible: Reproducible = False,
    result_dir: Annotated[str | None, typer.Option("--result-dir", help="Where the run folder is made.")] = None,
    overwrite: Overwrite = False,
    resume: Resume = False,
    resume_from: ResumeFrom = None,
    start: Start = 0,
    end: End = -1,
) -> None:
    """Ask without judging; `score` can judge later, on another machine."""
    given = dict(locals())
    given["result_dir"] = None if resume_from else result_dir
    _run(given, judge=False)


@app.command()
def score(
    task: Annotated[str, typer.Option("--task", help="The run's task: a name, or a path to a task YAML.")],
    run_dir: Annotated[str, typer.Option("--run-dir", help="A run folder; one of the reference's will do too.")],
    ids: Annotated[str | None, typer.Option("--ids", help="Only these problems: 1,2,3.")] = None,
    executor: Annotated[
        str, typer.Option("--executor", help="Where scorers run: local, or ray (the nodes of a cluster).")
    ] = "local",
    ray_address: Annotated[
        str | None, typer.Option("--ray-address", help="Of the cluster. [default: the one of this machine]")
    ] = None,
    sandbox: Sandbox = "auto",
) -> None:
    """Judge the answers in a run folder, again or for the first time."""
    from skythought.api import score_steps
    from skythought.cli import arguments
    from skythought.cli.progress import watch

    steps = score_steps(task, run_dir, arguments.ids(ids), executor, ray_address, sandbox)
    watch(steps, again="each one's `reason` in results.json tells why")


app.add_typer(tasks_app)


@app.command()
def models(
    name: Annotated[str | None, typer.Argument(help="Show this one.")] = None, model_config: ModelConfig = None
) -> None:
    """List the models that have presets, or show how one is addressed."""
    from skythought.cli.listings import show_model, show_models

    show_model(name, model_config) if name else show_models(model_config)


@app.command()
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


def _run(given: dict[str, Any], *, judge: bool) -> None:
    from skythought.api import execute
    from skythought.cli import arguments
    from skythought.cli.progress import watch
    from skythought.plan import Options, make_plan

    for name in ("backend_args", "sampling_params", "task_args", "chat_template_kwargs"):
        given[name] = arguments.key_values(given[name], "--" + name.replace("_", "-"))
    given["chat_template_kwargs"] = given["chat_template_kwargs"] or None
    for name in ("system_prompt", "user_template", "assistant_prefill"):
        given[name] = arguments.escapes(given[name])
    given["task"] = arguments.names(given["task"])
    watch(execute(make_plan(Options(**given), judge=judge)))


def main() -> NoReturn:
    """Entry point: runs a command; mistakes of the user's become one line on standard error and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show a character is no reason to fail
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        code = app(standalone_mode=False) or 0  # commands return nothing; typer itself returns 130 for Ctrl-C
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 -- the boundary: what is not the user's to see is raised again
        code = _explained(error)
    if code == INTERRUPTED:
        _complain("interrupted. What was answered is in the journal; the same command with --resume goes on.")
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
        said = re.sub("Input should be a valid integer.*", "a whole number is wanted.", error.format_message())
        _complain(said)
        return 2
    raise error


def _complain(text: str) -> None:
    print(f"skythought: {' '.join(text.split())}", file=sys.stderr)
