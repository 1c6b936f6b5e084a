"""Completion in PowerShell, which click does not bring: many administrators know no other shell."""

from __future__ import annotations

import os

from click.shell_completion import CompletionItem, ShellComplete, add_completion_class

# The words go over one to a line: PowerShell has parsed them already, and a Windows path in them would lose its
# backslashes if they were taken apart again the way of a Unix shell.
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
    """The script for a profile, and what it calls back for; files are left to PowerShell itself."""

    name = "powershell"
    source_template = _SOURCE

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is typed, and that one."""
        words = [_bare(word) for word in os.environ.get("COMP_WORDS", "").split("\n")]
        return words[1:], _bare(os.environ.get("COMP_CWORD", ""))

    def format_completion(self, item: CompletionItem[str]) -> str:
        """The value and, after a tab, what the list shows beside it, which must not be empty."""
        help_text = " ".join((item.help or str(item.value)).split())
        return f"{item.value}\t{help_text}"

    def complete(self) -> str:
        """Every completion that has a value; click's marks for files and folders have none."""
        items = self.get_completions(*self.get_completion_args())
        return "\n".join(self.format_completion(item) for item in items if item.type == "plain")


def _bare(word: str) -> str:
    """A word without the quotes that PowerShell keeps around it; the one being typed has no closing quote yet."""
    quote = word[:1]
    return word[1:].removesuffix(quote) if quote in ("'", '"') else word


def register() -> None:
    """Make click know the shell."""
    add_completion_class(PowerShellComplete)
