"""What every report format says about a report, before it becomes text, Markdown, HTML or another format."""
