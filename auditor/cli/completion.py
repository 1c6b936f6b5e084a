"""``completion``: the script with which a shell completes the commands and options of this program.

click supports bash, zsh and fish. PowerShell is added here, because many administrators use only that.
"""

from __future__ import annotations

import os

import click
from click.shell_completion import CompletionItem, ShellComplete, add_completion_class, get_completion_class

from auditor.cli.program import AuditCommand

# PowerShell passes the words one per line: it has parsed them already, and if they were split again as in a Unix shell,
# a Windows path would lose its backslashes.
_SOURCE = """\
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $before = $commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition }
    $env:COMP_WORDS = ($before | ForEach-Object { $_.Extent.Text }) -join "`n"
    $env:COMP_CWORD = $wordToComplete
    $env:%(complete_var)s = 'powershell_complete'
    try {
        & %(prog_name)s | Where-Object { $_ } | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item 'Env:COMP_WORDS', 'Env:COMP_CWORD', 'Env:%(complete_var)s' -ErrorAction SilentlyContinue
    }
}
"""


class PowerShellComplete(ShellComplete):
    """The script for a PowerShell profile, and the completions that it requests; PowerShell completes files itself."""

    name = "powershell"
    source_template = _SOURCE

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is being typed, and that word."""
        words = [_bare(word) for word in os.environ.get("COMP_WORDS", "").split("\n")]
        return words[1:], _bare(os.environ.get("COMP_CWORD", ""))

    def format_completion(self, item: CompletionItem[str]) -> str:
        """The value and, after a tab, the text that the list shows with it, which must not be empty."""
        help_text = " ".join((item.help or str(item.value)).split())
        return f"{item.value}\t{help_text}"

    def complete(self) -> str:
        """Every completion that is a value; click's placeholders for files and folders are left out."""
        items = self.get_completions(*self.get_completion_args())
        return "\n".join(self.format_completion(item) for item in items if item.type == "plain")


def _bare(word: str) -> str:
    """A word without the quotes that PowerShell leaves around it; the word being typed has no closing quote yet."""
    quote = word[:1]
    return word[1:].removesuffix(quote) if quote in ("'", '"') else word


def register_powershell() -> None:
    """Add PowerShell to the shells that click supports."""
    add_completion_class(PowerShellComplete)


@click.command(
    "completion",
    cls=AuditCommand,
    epilog="""\b
Examples:
  consent-auditor completion bash >> ~/.bashrc
  consent-auditor completion zsh >> ~/.zshrc
  consent-auditor completion fish > ~/.config/fish/completions/consent-auditor.fish
  consent-auditor completion powershell >> $PROFILE""",
)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish", "powershell")))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    register_powershell()
    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"the installed version of click doesn't support completion in {shell}")
    root = ctx.find_root()
    click.echo(completion(root.command, {}, "consent-auditor", "_CONSENT_AUDITOR_COMPLETE").source())
