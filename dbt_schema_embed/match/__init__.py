"""Room: embedded source tables and model columns in; suggestions with confidence and evidence out."""
