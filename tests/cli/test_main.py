"""The program: help, versions, exit codes."""

import json
import signal
import subprocess
import sys
import warnings

import pytest
import rich_click as click

import omitrans
from omitrans.cli import __main__ as program
from omitrans.cli._command import Command
from omitrans.cli._models import GENERATORS, MODELS
from omitrans.cli._options import GENERATOR_NAMES, MODEL_NAMES
from omitrans.exceptions import LowCoverageWarning, OmiTransError


@pytest.fixture
def use_command(monkeypatch):
    """Return a function that puts another one in the place of a command."""

    def replace(run):
        options = [click.Option(["--folds"], type=int), click.Option(["--json"], is_flag=True)]
        command = Command("demo", params=options, callback=lambda folds, json: run(folds))
        monkeypatch.setitem(program.program.commands, "demo", command)

    return replace


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_do_not_import_the_heavy_packages(argument):
    code = (
        "import sys\n"
        "from omitrans.cli.__main__ import main\n"
        f"assert main([{argument!r}]) == 0\n"
        "print('loaded:', *sorted({'torch', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1].strip() == "loaded:"
    assert ("demo" if argument == "--help" else omitrans.__version__) in done.stdout


def test_help_of_the_commands_does_not_import_the_heavy_packages():
    code = (
        "import sys\n"
        "from omitrans.cli.__main__ import main, program\n"
        "assert [main([name, '--help']) for name in program.commands] == [0] * 10\n"
        "print('loaded:', *sorted({'torch', 'sklearn', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "--samples" in done.stdout
    assert done.stdout.splitlines()[-1].strip() == "loaded:"


def test_the_names_of_the_models_are_those_that_can_be_made():
    assert MODEL_NAMES == MODELS
    assert GENERATOR_NAMES == GENERATORS


@pytest.mark.parametrize("command", program.program.commands)
def test_every_command_has_help(command, capsys):
    assert program.main([command, "--help"]) == 0
    assert f"omitrans {command}" in capsys.readouterr().out


def test_unknown_command_ends_with_2_and_the_known_ones(capsys):
    assert program.main(["dmeo"]) == 2
    assert "demo" in capsys.readouterr().err


def test_arguments_reach_the_command(use_command):
    seen = []
    use_command(seen.append)
    assert program.main(["demo", "--folds", "3"]) == 0
    assert seen == [3]


@pytest.mark.parametrize(
    "error",
    [OmiTransError("no luck"), OSError("no luck"), ValueError("no\n luck"), MemoryError("no luck")],
)
def test_expected_errors_are_one_line_and_exit_code_1(error, use_command, capsys):
    def run(folds):
        raise error

    use_command(run)
    assert program.main(["demo"]) == 1
    assert capsys.readouterr().err == "omitrans demo: error: no luck\n"


def test_faults_of_the_program_keep_their_traceback(use_command):
    def run(folds):
        raise ZeroDivisionError

    use_command(run)
    with pytest.raises(ZeroDivisionError):
        program.main(["demo"])


def test_ctrl_c_ends_with_130_even_inside_a_training(use_command, capsys):
    before = signal.getsignal(signal.SIGINT)

    def run(folds):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pytest.fail("a training would take this for its own business")

    use_command(run)
    assert program.main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before


def test_errors_as_json(use_command, capsys):
    def run(folds):
        raise OmiTransError("no luck")

    use_command(run)
    assert program.main(["demo", "--json"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out) == {"error": "no luck"}
    assert captured.err == "omitrans demo: error: no luck\n"


def test_warnings_are_lines_and_each_is_said_once(use_command, capsys):
    def run(folds):
        for _ in range(3):
            warnings.warn("two probes\nare absent", LowCoverageWarning, stacklevel=1)

    use_command(run)
    assert program.main(["demo"]) == 0
    assert capsys.readouterr().err == "omitrans demo: warning: two probes are absent\n"


def test_a_reader_that_has_enough_is_no_error_of_ours():
    """As in ``omitrans --help | head -n 1``."""
    code = "import sys; from omitrans.cli.__main__ import main; sys.exit(main(['--help']))"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        running.stdout.close()
        said = running.stderr.read()
    assert b"Traceback" not in said


@pytest.mark.parametrize(("arguments", "code"), [(["info", "absent.omitrans"], 1), (["info"], 2)])
def test_exit_codes_reach_the_shell(arguments, code):
    done = subprocess.run(
        [sys.executable, "-m", "omitrans.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == code
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert code == 2 or len(done.stderr.splitlines()) == 1
