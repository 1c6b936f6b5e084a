#Requires -Version 5.1
#Requires -RunAsAdministrator
<#
.SYNOPSIS
Registers the nightly audit with Windows Task Scheduler.
.DESCRIPTION
Limits the folder of the installation to administrators, SYSTEM and the account of the task, and registers the task in
consent-auditor.xml. Run it again after a change of the file: it replaces the task.
.PARAMETER Folder
The folder with consent-auditor.yaml and the virtual environment "venv".
.PARAMETER User
The account of the task. Without it, LOCAL SERVICE. A group managed service account: CONTOSO\svc-audit$
.EXAMPLE
.\Register-ConsentAuditor.ps1 -Folder C:\ConsentAuditor
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string]$Folder = 'C:\ConsentAuditor',
    [string]$User = 'NT AUTHORITY\LOCAL SERVICE',
    [string]$TaskName = 'consent-auditor'
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'

$Folder = (Resolve-Path -LiteralPath $Folder).ProviderPath.TrimEnd('\')
$program = Join-Path $Folder 'venv\Scripts\consent-auditor.exe'
$config = Join-Path $Folder 'consent-auditor.yaml'
foreach ($needed in $program, $config) {
    if (-not (Test-Path -LiteralPath $needed -PathType Leaf)) {
        throw "$needed doesn't exist. docs/scheduling.md says how to install the program and write the configuration."
    }
}

[xml]$task = Get-Content -LiteralPath (Join-Path $PSScriptRoot 'consent-auditor.xml') -Raw -Encoding UTF8
$exec = $task.Task.Actions.Exec
$exec.Command = $program
$exec.Arguments = "nightly run --config `"$config`""
$exec.WorkingDirectory = $Folder
$principal = $task.Task.Principals.Principal
$sid = ([System.Security.Principal.NTAccount]$User).Translate([System.Security.Principal.SecurityIdentifier]).Value
$principal.UserId = $sid

if ($PSCmdlet.ShouldProcess($Folder, "Limit access to administrators, SYSTEM and $User")) {
    # S-1-5-32-544 is Administrators and S-1-5-18 is SYSTEM, in every language of Windows.
    & icacls.exe $Folder /inheritance:r /grant:r '*S-1-5-32-544:(OI)(CI)F' '*S-1-5-18:(OI)(CI)F' "*${sid}:(OI)(CI)M" /Q
    if ($LASTEXITCODE -ne 0) { throw "icacls ended with exit code $LASTEXITCODE." }
}
if ($PSCmdlet.ShouldProcess($TaskName, 'Register the scheduled task')) {
    $null = Register-ScheduledTask -TaskName $TaskName -Xml $task.OuterXml -Force
    Write-Output "Registered. Run it once:  Start-ScheduledTask -TaskName $TaskName"
    Write-Output "Its exit code:           (Get-ScheduledTaskInfo -TaskName $TaskName).LastTaskResult"
}
