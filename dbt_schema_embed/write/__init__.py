"""Room: suggestions in; mapping YAML, JSON and tables out, and mapping files back in."""
