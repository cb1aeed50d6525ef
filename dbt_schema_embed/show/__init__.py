"""Room: answers in; text for people and programs out: tables, Markdown, JSON, the report as one HTML file."""
