"""The program: help, versions, exit codes."""

import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest

import omitrans
from omitrans.cli import __main__ as program
from omitrans.exceptions import OmiTransError


@pytest.fixture
def use_command(monkeypatch):
    """Return a function that puts another one in the place of a command."""

    def replace(run):
        monkeypatch.setattr(program, "import_module", lambda name: SimpleNamespace(run=run))

    return replace


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_and_version_do_not_import_the_heavy_packages(argument):
    code = (
        "import sys\n"
        "from omitrans.cli.__main__ import main\n"
        "try:\n"
        f"    main([{argument!r}])\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "print('loaded:', *sorted({'torch', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines()[-1].strip() == "loaded:"
    assert ("demo" if argument == "--help" else omitrans.__version__) in done.stdout


def test_help_of_a_command_does_not_import_torch():
    code = (
        "import sys\n"
        "from omitrans.cli.__main__ import main\n"
        "try:\n"
        "    main(['demo', '--help'])\n"
        "except SystemExit:\n"
        "    print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "--samples" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("command", program.COMMANDS)
def test_every_command_has_help(command, capsys):
    with pytest.raises(SystemExit) as end:
        program.main([command, "--help"])
    assert end.value.code == 0
    assert f"omitrans {command}" in capsys.readouterr().out


def test_unknown_command_ends_with_2_and_the_known_ones(capsys):
    with pytest.raises(SystemExit) as end:
        program.main(["dmeo"])
    assert end.value.code == 2
    assert "demo" in capsys.readouterr().err


def test_arguments_reach_the_command(use_command):
    seen = []
    use_command(seen.append)
    assert program.main(["demo", "--folds", "3", "--help"]) == 0
    assert seen == [["--folds", "3", "--help"]]


@pytest.mark.parametrize("error", [OmiTransError("no luck"), OSError("no luck")])
def test_expected_errors_are_one_line_and_exit_code_1(error, use_command, capsys):
    def run(arguments):
        raise error

    use_command(run)
    assert program.main(["demo"]) == 1
    assert capsys.readouterr().err == "omitrans demo: error: no luck\n"


def test_faults_of_the_program_keep_their_traceback(use_command):
    def run(arguments):
        raise ZeroDivisionError

    use_command(run)
    with pytest.raises(ZeroDivisionError):
        program.main(["demo"])


def test_ctrl_c_ends_with_130_even_inside_a_training(use_command, capsys):
    before = signal.getsignal(signal.SIGINT)

    def run(arguments):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            pytest.fail("a training would take this for its own business")

    use_command(run)
    assert program.main(["demo"]) == 130
    assert "interrupted" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is before
